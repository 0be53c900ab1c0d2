"""`make bench`: what the requests of the performance budget cost, measured on the real processes.

    python -m bench --help

`databases` and `seeding` (with `letters`, `cloning`) make an account of a chosen size, `service` starts the web process as
`make run` does, `catalogue` lists the workloads, `load` sends them from processes of its own, `measuring` reads the clocks,
`transfers` looks at memory and slow clients, `report` and `comparison` write it down. No part of the service imports this
package, and nothing here changes what is measured: the service runs with the settings that it always has.
"""
