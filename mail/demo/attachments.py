"""The files that the sample mail carries: a drawing (PNG), a quotation (PDF), measurements (CSV)."""

from __future__ import annotations

import struct
import zlib

_WIDTH, _HEIGHT = 160, 100
_SKY, _WATER, _WALL, _ROOF = (205, 226, 240), (70, 120, 160), (176, 128, 84), (120, 52, 44)


def drawing_png() -> bytes:
    """Return a PNG (W3C PNG §5) of 160 x 100 pixels, RGB: a boathouse by the water."""
    rows = b"".join(b"\0" + b"".join(bytes(_colour(x, y)) for x in range(_WIDTH)) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _colour(x: int, y: int) -> tuple[int, int, int]:
    """Return the colour of a pixel: wall and roof in the middle, water below, sky around."""
    if 45 <= x < 115 and 48 <= y < 76:
        return _WATER if 70 <= x < 92 and y >= 58 else _WALL
    if 28 <= y < 48 and abs(x - 80) < (y - 26) * 2:
        return _ROOF
    return _WATER if y >= 76 else _SKY


def quotation_pdf() -> bytes:
    """Return a PDF (ISO 32000-1 §7.5) of one page with a few lines of text."""
    lines = ("Quotation 2291", "Larch boards, 28 mm, 140 m2", "Delivery in three weeks", "Total: 7,840.00")
    page = "BT /F1 18 Tf 72 760 Td 28 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file = "%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{content}\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    table += "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n"
    return (file + table + trailer).encode("ascii")


def measurements_csv() -> bytes:
    """Return a CSV (RFC 4180) of measurements, in UTF-8 with CRLF line ends."""
    rows = ("post,depth_m,lean_mm", "A1,2.40,3", "A2,2.35,1", "B1,2.80,7", "B2,2.75,2", "C1,3.10,0")
    return "".join(f"{row}\r\n" for row in rows).encode()
