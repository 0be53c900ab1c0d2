"""How tenants, domains, users, aliases and grants are born, changed and removed: one named function for each.

Each runs in a transaction of its own or joins the caller's, and calls the hooks of `accounts.lifecycle`.
Every function raises `ProvisioningError`, with a sentence for a person, where what it is asked cannot be.
Credentials are made in `accounts.credentials`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import lifecycle
from accounts.addresses import normalise_address, normalise_domain, split_address
from accounts.languages import MOST_LANGUAGES, UnknownLanguageError, parse_languages
from accounts.models import Account, Address, Alias, AliasTarget, Domain, Grant, Tenant, User


class ProvisioningError(Exception):
    """Something that cannot be provisioned; the text is a sentence for the person who asked."""


@contextmanager
def _unique(sentence: str) -> Iterator[None]:
    """Turn the refusal of a unique constraint into a sentence; what raced us is found out the same way."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ProvisioningError(sentence) from error


def create_tenant(name: str, *, domain: str | None = None, is_demo: bool = False) -> Tenant:
    """A new tenant, with its first domain if one is named."""
    name = name.strip()
    if not name:
        raise ProvisioningError("A tenant needs a name.")
    with transaction.atomic():
        with _unique(f"There is a tenant named {name} already."):
            tenant = Tenant.objects.create(name=name, is_demo=is_demo)
        if domain is not None:
            add_domain(tenant, domain)
    return tenant


def add_domain(tenant: Tenant, name: str) -> Domain:
    """A further domain of a tenant; internationalised names are stored as A-labels."""
    normal = free_domain(name)
    with _unique(f"The domain {normal} is taken."):
        return Domain.objects.create(name=normal, tenant=tenant)


def free_domain(name: str) -> str:
    """The normal spelling of a domain that can be added."""
    normal = normalise_domain(name)
    if normal is None:
        raise ProvisioningError(f"{name!r} is not a domain name.")
    if Domain.objects.filter(name=normal).exists():
        raise ProvisioningError(f"The domain {normal} is taken.")
    return normal


def create_user(
    address: str,
    *,
    name: str = "",
    password: str | None = None,
    may_use_account_password: bool = True,
) -> User:
    """A new user of the tenant whose domain the address is in, with the personal account (`user.account`).

    Without a password there is none, and only app passwords and tokens open the account.
    """
    normal, domain = _new_address(address)
    if "+" in split_address(normal)[0]:
        raise ProvisioningError(
            f"{normal} cannot be a user's address: what follows the + is a detail of the address before it."
        )
    # Hashed before the transaction begins: it takes long, and may have to wait for its turn.
    encoded = make_password(password)
    with transaction.atomic():
        with _unique(f"The address {normal} is taken."):
            user = User.objects.create(
                address=normal,
                name=name.strip(),
                tenant=domain.tenant,
                domain=domain,
                password=encoded,
                may_use_account_password=may_use_account_password,
            )
            Address.objects.create(address=normal, user=user)
        account = Account.objects.create(tenant=domain.tenant, owner=user, name=normal)
        for account_hook in lifecycle.account_created:
            account_hook(account)
        for user_hook in lifecycle.user_created:
            user_hook(user)
        _tell(_took_before(normal, domain))
    return user


def rename_user(user: User, name: str) -> None:
    """Give a user another name to be shown; the address stays."""
    with transaction.atomic():
        former = User.objects.select_for_update().get(pk=user.pk).name
        user.name = name.strip()
        user.save(update_fields=["name"])
        for hook in lifecycle.user_renamed:
            hook(user, former)


def set_search_languages(account: Account, languages: Sequence[str]) -> None:
    """Let searches in an account know the words of these languages in all their forms; of none: those of the server.

    `index_due_since` says from when on the index does not follow them yet; a task makes it do so. Raises `ProvisioningError`.
    """
    try:
        names = parse_languages(" ".join(languages))
    except UnknownLanguageError as error:
        raise ProvisioningError(f"{error}.") from None
    if len(names) > MOST_LANGUAGES:
        raise ProvisioningError(f"An account can have {MOST_LANGUAGES} languages.")
    text = " ".join(names)
    now = timezone.now()
    changed = Account.objects.filter(pk=account.pk).exclude(search_languages=text)
    if changed.update(search_languages=text, index_due_since=now):
        account.search_languages, account.index_due_since = text, now


def _took_before(address: str, domain: Domain) -> list[Account]:
    """Whose mail an address was until somebody got it: that of the user without `+detail`, and of the catch-all."""
    local_part, name = split_address(address)
    plain, plus, _ = local_part.partition("+")
    taking = list(Account.objects.filter(name=f"{plain}@{name}")) if plus else []
    if domain.catch_all is not None:
        taking.append(domain.catch_all)
    return taking


def _tell(accounts: Iterable[Account]) -> None:
    """Call the hooks for accounts whose addresses may have changed, in ascending id: they lock what they write."""
    for account in sorted(set(accounts), key=lambda account: account.pk):
        for hook in lifecycle.addresses_changed:
            hook(account)


def _tell_of_rights() -> None:
    """Call the hooks of who looks at rights, once they are committed."""
    for hook in lifecycle.rights_changed:
        transaction.on_commit(hook)


def free_address(address: str) -> str:
    """The normal spelling of an address that a user or an alias can be given."""
    normal, _ = _new_address(address)
    if Address.objects.filter(address=normal).exists():
        raise ProvisioningError(f"The address {normal} is taken.")
    return normal


def find_user(address: str) -> User:
    """The user with this login address, in any spelling."""
    user = User.objects.select_related("tenant").filter(address=normalise_address(address) or "").first()
    if user is None:
        raise ProvisioningError(f"There is no user {address}.")
    return user


def find_account(address: str) -> Account:
    """The personal account of the user with this login address."""
    account = Account.objects.select_related("tenant").filter(owner=find_user(address)).first()
    if account is None:
        raise ProvisioningError(f"{address} is an operator and has no account.")
    return account


def find_tenant(name: str) -> Tenant:
    """The tenant of this name, in any case."""
    tenant = Tenant.objects.filter(name__iexact=name.strip()).first()
    if tenant is None:
        raise ProvisioningError(f"There is no tenant {name}.")
    return tenant


def find_domain(name: str) -> Domain:
    """The domain of this name, in any spelling."""
    domain = Domain.objects.select_related("tenant").filter(name=normalise_domain(name) or "").first()
    if domain is None:
        raise ProvisioningError(f"The domain {name} belongs to no tenant.")
    return domain


def find_alias(address: str) -> Alias:
    """The alias with this address, in any spelling."""
    alias = Alias.objects.filter(address=normalise_address(address) or "").first()
    if alias is None:
        raise ProvisioningError(f"There is no alias {address}.")
    return alias


def _new_address(address: str) -> tuple[str, Domain]:
    """The normal spelling of an address to be made, and its domain."""
    normal = normalise_address(address)
    if normal is None:
        raise ProvisioningError(f"{address!r} is not an e-mail address.")
    return normal, find_domain(split_address(normal)[1])


def add_alias(address: str, account: Account) -> Alias:
    """A further address whose mail goes to an account of the same tenant."""
    normal, domain = _new_address(address)
    if domain.tenant_id != account.tenant_id:
        raise ProvisioningError(f"The domain {domain.name} belongs to another tenant than {account.name}.")
    with transaction.atomic():
        with _unique(f"The address {normal} is taken."):
            alias = Alias.objects.create(address=normal, domain=domain)
            Address.objects.create(address=normal, alias=alias)
        AliasTarget.objects.create(alias=alias, account=account)
        _tell([account, *_took_before(normal, domain)])
    return alias


def remove_alias(alias: Alias) -> None:
    """Let an alias deliver no more, and free its address."""
    with transaction.atomic():
        targets = [target.account for target in alias.targets.select_related("account")]
        alias.delete()
        _tell(targets)


def set_catch_all(domain: Domain, account: Account | None) -> None:
    """Deliver what nobody in the domain receives to an account of the same tenant, or (None) to nobody."""
    if account is not None and account.tenant_id != domain.tenant_id:
        raise ProvisioningError(f"The domain {domain.name} belongs to another tenant than {account.name}.")
    with transaction.atomic():
        # The row as it is, and not as the caller may have changed it in memory.
        before = (
            Domain.objects.select_for_update(of=("self",))
            .select_related("catch_all")
            .get(pk=domain.pk)
            .catch_all
        )
        domain.catch_all = account
        domain.save(update_fields=["catch_all"])
        _tell(each for each in (before, account) if each is not None)


def delete_domain(domain: Domain) -> None:
    """Delete a domain in which nobody has an address any more, with its catch-all."""
    with transaction.atomic():
        set_catch_all(domain, None)
        domain.delete()


def grant_access(
    account: Account, user: User, *, is_read_only: bool = False, may_send_as: bool = False
) -> Grant:
    """Open an account to another user of the tenant, or change what was granted before."""
    if account.owner_id == user.pk:
        raise ProvisioningError(f"{user.address} owns this account already.")
    if account.tenant_id != user.tenant_id:
        raise ProvisioningError(f"{account.name} and {user.address} belong to different tenants.")
    if is_read_only and may_send_as:
        raise ProvisioningError("A read-only grant cannot allow sending.")
    grant, _ = Grant.objects.update_or_create(
        account=account, user=user, defaults={"is_read_only": is_read_only, "may_send_as": may_send_as}
    )
    return grant


def revoke_access(account: Account, user: User) -> None:
    """Close an account to a user; nothing happens where nothing was granted."""
    Grant.objects.filter(account=account, user=user).delete()
    _tell_of_rights()


def set_user_suspended(user: User, is_suspended: bool) -> None:
    """Suspend or resume one user, from the next request on."""
    user.is_suspended = is_suspended
    user.save(update_fields=["is_suspended"])
    _tell_of_rights()


def set_tenant_suspended(tenant: Tenant, is_suspended: bool) -> None:
    """Suspend or resume everybody of a tenant, from the next request on."""
    tenant.is_suspended = is_suspended
    tenant.save(update_fields=["is_suspended"])
    _tell_of_rights()


def set_password(user: User, password: str | None) -> None:
    """Give the user another account password, or (None) take it away. Signs out what used the old one."""
    user.password = make_password(password)
    user.save(update_fields=["password"])
    _tell_of_rights()


def delete_user(user: User) -> None:
    """Delete a user with the personal account, all that is in it, its aliases, grants and credentials."""
    with transaction.atomic():
        account = Account.objects.filter(owner=user).first()
        if account is not None:
            for alias in Alias.objects.filter(targets__account=account):
                remove_alias(alias)
            for account_hook in lifecycle.account_deleted:
                account_hook(account)
        for user_hook in lifecycle.user_deleted:
            user_hook(user)
        user.delete()


def delete_tenant(tenant: Tenant) -> None:
    """Delete a tenant with its users, their accounts, and its domains."""
    with transaction.atomic():
        for user in User.objects.filter(tenant=tenant).iterator():
            delete_user(user)
        tenant.domains.all().delete()
        tenant.delete()
