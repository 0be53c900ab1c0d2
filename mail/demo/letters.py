"""The letters of Harbour & Pine, who build small houses of wood by the water. All is invented.

A function is as long as what it lists: the letters of one part of the story.
"""

from __future__ import annotations

from mail.demo.letter import ARCHIVE, BOATHOUSE, DRAFTS, INBOX, JUNK, SENT, Copy, File, Letter, Person

JUERGEN: Person = ("Jürgen Weißmüller", "juergen@saegewerk-weissmueller.example")
MISAKI: Person = ("田中 美咲", "misaki.tanaka@minato-architects.example")
LAYLA: Person = ("ليلى حداد", "layla@haddad-glass.example")
COUNCIL: Person = ("Brookmere Parish Council", "planning@brookmere.example")
NEWSLETTER: Person = ("The Joinery Letter", "letter@joinery-letter.example")
PRINTER: Person = ("Workshop printer", "printer@devices.example")
STRANGER: Person = ("Dr. M. Fortune", "winner@lucky-draw.example")

_UNREAD = Copy(INBOX, frozenset())
_READ = Copy(INBOX)
_ANSWERED = Copy(INBOX, frozenset({"$seen", "$answered"}))
_FLAGGED = Copy(INBOX, frozenset({"$seen", "$flagged"}))
_SENT = Copy(SENT)
_ARCHIVED = Copy(ARCHIVE)
_DRAFT = Copy(DRAFTS, frozenset({"$draft", "$seen"}))
_FILED_FLAGGED = Copy(BOATHOUSE, frozenset({"$seen", "$flagged"}))
_FILED_ANSWERED = Copy(BOATHOUSE, frozenset({"$seen", "$answered"}))


def letters(alice: Person, bob: Person) -> list[Letter]:
    """Return all letters, oldest first."""
    everything = [*_boathouse(alice, bob), *_suppliers(alice, bob), *_abroad(alice, bob), *_daily(alice, bob)]
    return sorted(everything, key=lambda letter: -letter.hours)


def _boathouse(alice: Person, bob: Person) -> list[Letter]:
    """A project with the whole course of a thread, filed in a folder by Alice."""
    return [
        Letter(
            "brookmere-1", 720, COUNCIL, (alice,), "Boathouse on the north bank",
            "Dear Ms Brenner,\n\nthe parish would like to replace the old boathouse on the north bank."
            " Two boats,"
            " a store for oars, and a roof that survives the winter.\n\nCould you look at the site this"
            " month?\n\n"
            "Kind regards\nHelen Marsh, clerk\n",
            alice=_FILED_ANSWERED,
        ),
        Letter(
            "brookmere-2", 700, alice, (COUNCIL,), "Re: Boathouse on the north bank",
            "Dear Ms Marsh,\n\ngladly. Bob and I can come on Thursday at ten. We shall measure the posts"
            " that are"
            " still standing; perhaps some can stay.\n\nAlice Brenner\n",
            alice=_SENT, bob=_READ, cc=(bob,), answers="brookmere-1",
        ),
        Letter(
            "brookmere-3", 652, bob, (alice,), "Re: Boathouse on the north bank",
            "Here is what I measured. B1 leans by 7 mm, the others are fine. I would keep five of the"
            " six posts.\n\n"
            "> perhaps some can stay\n\nMost of them.\n\nBob\n",
            alice=_FILED_ANSWERED, bob=_SENT, answers="brookmere-2", files=(File.MEASUREMENTS,),
        ),
        Letter(
            "brookmere-4", 650, alice, (bob,), "Re: Boathouse on the north bank",
            "Thank you, that saves them a lot. I will draw it with five old posts and one new.\n\nAlice\n",
            alice=_SENT, bob=_ARCHIVED, answers="brookmere-3",
        ),
        Letter(
            "brookmere-5", 500, alice, (COUNCIL,), "Re: Boathouse on the north bank",
            "Dear Ms Marsh,\n\nhere is a first drawing. The door is wide enough for both boats side by"
            " side.\n\n"
            "Alice Brenner\n",
            alice=_SENT, bob=_READ, cc=(bob,), answers="brookmere-1", picture=True,
            html="<p>Dear Ms Marsh,</p><p>here is a first drawing. The door is wide enough for <b>both"
            " boats</b> side"
            ' by side.</p><p><img src="cid:{picture}" alt="The boathouse from the lake" width="160"'
            ' height="100"></p>'
            "<p>Alice Brenner</p>",
        ),
        Letter(
            "brookmere-6", 430, COUNCIL, (alice,), "Re: Boathouse on the north bank",
            "Dear Ms Brenner,\n\nthe council liked the drawing very much and voted for it, eight to one."
            " (The one"
            " would have preferred green.)\n\nPlease go ahead.\n\nHelen Marsh\n",
            alice=_FILED_FLAGGED, bob=_FLAGGED, cc=(bob,), answers="brookmere-5",
        ),
        Letter(
            "brookmere-7", 96, COUNCIL, (alice, bob), "Boathouse: when do you start?",
            "Dear both,\n\nthe rowing club asks when it has to clear the bank. Is the first week of next"
            " month still"
            " right?\n\nHelen Marsh\n",
            alice=_UNREAD, bob=_UNREAD,
        ),
    ]  # fmt: skip


def _suppliers(alice: Person, bob: Person) -> list[Letter]:
    """A quotation in German, with an answer and a draft."""
    return [
        Letter(
            "larch-1", 400, bob, (JUERGEN,), "Anfrage: Lärche, 28 mm",
            "Lieber Herr Weißmüller,\n\nwir brauchen 140 m² Lärche, 28 mm, sägerau. Was kostet das, und"
            " wann könnten"
            " Sie liefern?\n\nViele Grüße\nBob Okafor\n",
            alice=_READ, bob=_SENT, cc=(alice,),
        ),
        Letter(
            "larch-2", 380, JUERGEN, (bob,), "AW: Anfrage: Lärche, 28 mm",
            "Sehr geehrter Herr Okafor,\n\nanbei unser Angebot. Die Bretter sind gut abgelagert; über"
            " die Größe der"
            " Äste müssten wir sprechen.\n\nMit freundlichen Grüßen\nJürgen Weißmüller\n",
            alice=_FLAGGED, bob=_ANSWERED, cc=(alice,), answers="larch-1", files=(File.QUOTATION,),
        ),
        Letter(
            "larch-3", 378, bob, (JUERGEN,), "Re: AW: Anfrage: Lärche, 28 mm",
            "Lieber Herr Weißmüller,\n\ndanke, das passt. Kleine Äste stören uns nicht, sie sind ja über"
            " dem"
            " Wasser.\n\nBob Okafor\n",
            bob=_SENT, answers="larch-2",
        ),
        Letter(
            "larch-4", 30, JUERGEN, (bob, alice), "Lieferung am Dienstag",
            "Guten Tag,\n\nder Laster kommt am Dienstag gegen acht. Bitte halten Sie die Einfahrt frei.\n\n"
            "J. Weißmüller\n",
            alice=_UNREAD, bob=_ANSWERED,
        ),
        Letter(
            "larch-5", 28, bob, (alice,), "Fwd: Lieferung am Dienstag",
            "Can you move the van on Tuesday? I am at the dentist until nine.\n\nBob\n",
            alice=_UNREAD, bob=_SENT, encloses="larch-4",
        ),
        Letter(
            "larch-6", 3, alice, (bob,), "Re: Fwd: Lieferung am Dienstag",
            "Yes, I will put it behind the\n",
            alice=_DRAFT, answers="larch-5",
        ),
    ]  # fmt: skip


def _abroad(alice: Person, bob: Person) -> list[Letter]:
    """Letters in Japanese and Arabic, and their threads."""
    return [
        Letter(
            "tea-1", 340, MISAKI, (alice,), "茶室の設計について",
            "アリス様\n\nはじめまして。港建築事務所の田中と申します。湖のそばに小さな茶室を建てたいと考"
            "えています。\n"
            "図面を見ていただけますか。\n\n田中 美咲\n",
            alice=_ANSWERED,
        ),
        Letter(
            "tea-2", 330, alice, (MISAKI,), "Re: 茶室の設計について",
            "田中様\n\nご連絡ありがとうございます。喜んで拝見します。\nThe joints without any metal"
            " interest Bob in"
            " particular, so I copy him.\n\nAlice Brenner\n",
            alice=_SENT, bob=_READ, cc=(bob,), answers="tea-1",
        ),
        Letter(
            "tea-3", 70, MISAKI, (alice, bob), "Re: 茶室の設計について",
            "アリス様、ボブ様\n\n図面ができました。来週お送りします。\n\n田中 美咲\n",
            alice=_FLAGGED, bob=_UNREAD, answers="tea-2",
            html="<p>アリス様、ボブ様</p><p>図面ができました。<em>来週</em>お送りします。</p><p>田中 美"
            "咲</p>",
        ),
        Letter(
            "glass-1", 210, LAYLA, (bob,), "عرض أسعار الزجاج",
            "السيد بوب،\n\nنستطيع أن نصنع النوافذ الست خلال أسبوعين. هل تريدون زجاجاً مزدوجاً؟\n\nليلى"
            " حداد\n",
            bob=_ANSWERED,
        ),
        Letter(
            "glass-2", 200, bob, (LAYLA,), "Re: عرض أسعار الزجاج",
            "Dear Layla,\n\ndouble, please: the club wants to sit in there in March.\n\nBob\n",
            bob=_SENT, answers="glass-1",
        ),
    ]  # fmt: skip


def _daily(alice: Person, bob: Person) -> list[Letter]:
    """What else lies about: the office, a newsletter, a scan, an unwanted letter."""
    return [
        Letter(
            "minutes", 1400, alice, (bob,), "Minutes of Monday",
            "1. The saw blade is ordered.\n2. Nobody parks on the drying timber any more.\n3. Cake on"
            " Fridays stays.\n",
            alice=_SENT, bob=_ARCHIVED,
        ),
        Letter(
            "insurance", 1100, bob, (alice,), "Insurance for the van",
            "They want the mileage by the end of the month. It is on the board by the door.\n\nBob\n",
            alice=_ARCHIVED, bob=_SENT,
        ),
        Letter(
            "lunch-1", 52, bob, (alice,), "Lunch?",
            "Soup place at half past twelve?\n\nBob\n",
            alice=_ANSWERED, bob=_SENT,
        ),
        Letter(
            "lunch-2", 51, alice, (bob,), "Re: Lunch?",
            "> Soup place at half past twelve?\n\nOne o'clock, then yes.\n",
            alice=_SENT, bob=_ANSWERED, answers="lunch-1",
        ),
        Letter(
            "lunch-3", 50.5, bob, (alice,), "Re: Lunch?",
            "One it is. \N{STEAMING BOWL}\n",
            alice=_READ, bob=_SENT, answers="lunch-2",
        ),
        Letter(
            "joinery-12", 120, NEWSLETTER, (alice,), "The Joinery Letter No. 12: dovetails without fear",
            "THE JOINERY LETTER No. 12\n\nDovetails without fear\n  Mark the pins first, and cut on the"
            " waste side.\n\n"
            "Readers ask\n  Why does my plane chatter? Because the iron is loose.\n\n"
            "You receive this letter because you subscribed.\n",
            alice=_UNREAD, newsletter=True,
            html="<h1>The Joinery Letter No. 12</h1><h2>Dovetails without fear</h2><p>Mark the"
            " <strong>pins</strong>"
            " first, and cut on the waste side.</p><h2>Readers ask</h2><p>Why does my plane chatter?"
            " Because the iron"
            " is loose.</p><hr><p><small>You receive this letter because you subscribed.</small></p>",
        ),
        Letter(
            "scan", 26, PRINTER, (bob,), "Scan from the workshop",
            "Two files are attached.\n",
            bob=_UNREAD, files=(File.DRAWING, File.MEASUREMENTS),
        ),
        Letter(
            "fortune", 20, STRANGER, (alice,), "YOU HAVE WON!!!",
            "Dear lucky friend, your address was drawn among nine million. Answer with your bank"
            " account.\n",
            alice=Copy(JUNK, frozenset({"$junk"})),
        ),
        Letter(
            "holiday", 6, alice, (bob,), "Week 32",
            "Bob,\n\nI would like to take the week off, if the boathouse has its roof by then. Could you\n",
            alice=_DRAFT,
        ),
        Letter(
            "roof", 2, bob, (alice,), "The roof is on",
            "It is on, an hour before the rain. Pictures later, I am wet.\n\nBob\n",
            alice=_UNREAD, bob=_SENT,
        ),
    ]  # fmt: skip
