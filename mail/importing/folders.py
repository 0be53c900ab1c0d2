"""Names of mailboxes: what other systems call the special ones, and how names are written on disk."""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterable

from mail.types.capability import MAX_MAILBOX_DEPTH, MAX_SIZE_MAILBOX_NAME

_NAMES_OF_ROLES = {
    "inbox": (
        "inbox", "posteingang", "eingang", "boîte de réception",
        "bandeja de entrada", "posta in arrivo", "postvak in", "caixa de entrada",
        "inkorg", "indbakke", "innboks", "saapuneet", "skrzynka odbiorcza",
        "входящие", "受信トレイ", "收件箱", "صندوق الوارد",
    ),
    "sent": (
        "sent", "sent items", "sent messages", "sent mail", "sent-mail",
        "outgoing", "gesendet", "gesendete elemente", "gesendete objekte",
        "gesendete nachrichten", "envoyés", "éléments envoyés",
        "messages envoyés", "enviados", "elementos enviados", "mensajes enviados",
        "itens enviados", "inviati", "posta inviata", "verzonden",
        "verzonden items", "skickat", "skickade", "sendt", "sendte elementer",
        "lähetetyt", "wysłane", "elementy wysłane", "отправленные", "送信済み",
        "送信済みアイテム", "已发送", "已发送邮件", "寄件備份", "المرسلة", "البريد المرسل",
    ),
    "drafts": (
        "drafts", "draft", "entwürfe", "entwurf", "brouillons", "borradores",
        "rascunhos", "bozze", "concepten", "utkast", "kladder", "luonnokset",
        "kopie robocze", "wersje robocze", "черновики", "下書き", "草稿", "草稿箱",
        "المسودات",
    ),
    "trash": (
        "trash", "deleted items", "deleted messages", "deleted", "bin", "rubbish",
        "papierkorb", "gelöschte elemente", "gelöschte objekte", "gelöscht",
        "corbeille", "éléments supprimés", "papelera", "elementos eliminados",
        "lixeira", "itens excluídos", "cestino", "posta eliminata", "prullenbak",
        "verwijderde items", "papperskorg", "papperskorgen", "papirkurv",
        "papirkurven", "roskakori", "kosz", "elementy usunięte", "корзина",
        "удаленные", "удалённые", "ごみ箱", "ゴミ箱", "削除済みアイテム", "已删除", "已删除邮件", "垃圾桶",
        "سلة المهملات", "المحذوفة",
    ),
    "junk": (
        "junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail",
        "bulk", "spamverdacht", "unerwünscht", "junk-e-mail",
        "courrier indésirable", "indésirables", "pourriel", "correo no deseado",
        "lixo eletrônico", "lixo eletrónico", "posta indesiderata",
        "ongewenste e-mail", "ongewenst", "skräppost", "søppelpost", "uønsket",
        "roskaposti", "wiadomości-śmieci", "niechciane", "спам", "迷惑メール", "垃圾邮件",
        "垃圾郵件", "البريد غير الهام",
    ),
    "archive": (
        "archive", "archives", "archiv", "archivo", "arquivo", "arquivo morto",
        "archivio", "archief", "arkiv", "arkisto", "archiwum", "архив", "アーカイブ",
        "归档", "存档", "封存", "الأرشيف", "all mail", "alle nachrichten",
        "tous les messages",
    ),
}  # fmt: skip
_NAMES_BELOW_PROVIDERS = {
    "important": ("important", "wichtig", "importants", "importante", "belangrijk"),
    "flagged": ("flagged", "starred", "markiert", "suivis", "destacados", "speciali", "met ster"),
    "scheduled": ("scheduled", "geplant", "planifiés", "programados", "programmati", "gepland"),
    "snoozed": ("snoozed", "zurückgestellt", "en attente", "pospuestos", "posticipati", "gesnoozed"),
}
"""Names that say a role only inside of what a provider keeps apart: elsewhere anybody has a folder called Important."""


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


_ROLES = {_key(name): role for role, names in _NAMES_OF_ROLES.items() for name in names}
_PROVIDER_ROLES = {_key(name): role for role, names in _NAMES_BELOW_PROVIDERS.items() for name in names}
_PROVIDER_PREFIXES = frozenset({"[gmail]", "[google mail]"})
_BASE64_RUN = re.compile(r"&([A-Za-z0-9+,]*)-")


def role_of(folder: tuple[str, ...]) -> str | None:
    """Return the role (RFC 8621 §2) that a mailbox of this path commonly has, or None. () is the Inbox.

    Only names at the top say a role: `Projects/Sent` is an ordinary mailbox. Google's `[Gmail]` counts as the
    top, and has roles of its own.
    """
    if not folder:
        return "inbox"
    if len(folder) == 2 and _key(folder[0]) in _PROVIDER_PREFIXES:
        return _ROLES.get(_key(folder[1])) or _PROVIDER_ROLES.get(_key(folder[1]))
    return _ROLES.get(_key(folder[0])) if len(folder) == 1 else None


def decode_modified_utf7(name: str) -> str:
    """Decode an IMAP mailbox name (RFC 3501 §5.1.3). What is not validly encoded stays as it was written."""
    return _BASE64_RUN.sub(_decode_run, name)


def _decode_run(match: re.Match[str]) -> str:
    encoded = match[1]
    if not encoded:
        return "&"
    try:
        padded = encoded.replace(",", "/") + "=" * (-len(encoded) % 4)
        return binascii.a2b_base64(padded.encode("ascii")).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return match[0]


def clean_name(name: str) -> str:
    """Return `name` as a mailbox may be called: NFC, no control characters, 1 to 255 octets (RFC 8621 §2).

    Bytes that were no UTF-8 on disk (surrogates of `os.fsdecode`) are read as Latin-1.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape").decode("latin-1")
    name = unicodedata.normalize("NFC", name)
    name = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in name
    ).strip()
    name = name.encode()[:MAX_SIZE_MAILBOX_NAME].decode("utf-8", "ignore").strip()
    return name or "Unnamed"


def clean_folder(names: Iterable[str]) -> tuple[str, ...]:
    """Return a mailbox path of clean names, at most 10 deep; deeper levels are joined in the last name.

    A leading INBOX is dropped: `INBOX` is the Inbox (), and `INBOX.Sent` is what other servers call `Sent`.
    """
    folder = [clean_name(name) for name in names]
    if folder and folder[0].upper() == "INBOX":
        folder = folder[1:]
    if len(folder) > MAX_MAILBOX_DEPTH:
        folder = [*folder[: MAX_MAILBOX_DEPTH - 1], clean_name("/".join(folder[MAX_MAILBOX_DEPTH - 1 :]))]
    return tuple(folder)
