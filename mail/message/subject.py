"""The base subject of a message, by which threads are told apart (RFC 5256 §2.1)."""

import re

#: Marks of replies and forwards. RFC 5256 has "re", "fw" and "fwd"; the others are what mailers of other
#: languages write.
_MARK = (
    "re|fwd?|aw|antw(?:ort)?|wg|sv|vs|vb|vl|ref|rv|rif|r|i|tr|odp|pd|ynt|ilt|bls|trs|enc|res|vá|ré|doorst|továbbítás"
    "|σχετ|πρθ|απ|отв|ответ|回复|回覆|答复|答覆|转发|轉寄|轉發|返信|転送|회신|답장|전달|ตอบ|ส่งต่อ"
)
_COUNTER = r"(?:\s{0,9}(?:\[\d{1,9}\]|\(\d{1,9}\)|\^\d{1,9}|\*\d{1,9}))?"
_BLOB = r"\[[^\[\]]*+\]\s*+"

_LEADER = re.compile(rf"(?:{_BLOB})?(?:{_MARK}){_COUNTER}\s{{0,9}}(?:{_BLOB})?[:：]\s*+", re.IGNORECASE)
_LEADING_BLOB = re.compile(_BLOB)
_FORWARD = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)

#: Characters of a subject that count.
LONGEST = 1_000


def base_subject(subject: str) -> str:
    """The subject without marks of replies and forwards, list names and surplus white space.

    Upper and lower case stay: compare it case-folded. Only the first `LONGEST` characters count.
    """
    text = " ".join(subject[:LONGEST].split())
    while True:
        text = _without_leaders(_without_trailer(text))
        forward = _FORWARD.match(text)
        if forward is None:
            return text
        text = forward[1].strip()


def _without_trailer(text: str) -> str:
    while text[-5:].lower() == "(fwd)":
        text = text[:-5].rstrip()
    return text


def _without_leaders(text: str) -> str:
    """Steps 3 to 5 of the RFC: leaders, and blobs such as a list's name where something stays behind them."""
    position = 0
    while True:
        leader = _LEADER.match(text, position)
        if leader is not None:
            position = leader.end()
            continue
        blob = _LEADING_BLOB.match(text, position)
        if blob is None or blob.end() == len(text):
            return text[position:]
        position = blob.end()
