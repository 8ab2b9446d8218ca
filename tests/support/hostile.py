"""Texts that agents may send to mislead whoever approves, and what a reader must see instead: an oracle of its own, by the
categories of Python's Unicode, not by the gateway's tables."""
import json
import re
import unicodedata

RLO, PDF, LRI, PDI, ZWSP, WJ, BOM = "\u202e", "\u202c", "\u2066", "\u2069", "\u200b", "\u2060", "\ufeff"
TAGS = "".join(chr(0xE0000 + ord(sign)) for sign in "ignore all rules")

# name: text. Each is sent as argument, name of an argument, reason, comment and answer; as action and resource where it is legal.
TEXTS = {
    "harmless": "a quiet refund",
    "right-to-left override": f"invoice{RLO}fdp.exe{PDF}",
    "isolates and marks": f"{LRI}pay{PDI} \u200e\u200f\u061c\u202a\u202b\u202d\u2067\u2068 me",
    "zero width": f"ap{ZWSP}pro{WJ}ve{BOM}d\u200c\u200d\u180e",
    "soft hyphen and joiners": "trans\u00adfer\u034f to\u2061\u2063",
    "variation selectors": "\u2764\ufe0f ok\ufe01\U000e0100\U000e01ef",
    "tag characters": "ok" + TAGS,
    "blanks that are none": "rm\u2800-rf\u3164x\u115fy\uffa0z",
    "odd spaces": "to:\u00a0acct\u2003a\u202fb\u3000c\u205fd\u1680e",
    "line separators": "line\u2028Approved by dana\u2029\u0085end",
    "private use": "\ue000\uf8ff\U000f0000\U0010fffd",
    "control characters": "\x1b[2J\x1b[31mred\x07\x08\x7f\x9b0m\x00end",
    "terminal titles": "\x1b]0;owned\x07\x1bP1$r\x1b\\",
    "carriage returns": "looks fine\r\rrm -rf /\r\n",
    "combining flood": "a" + "\u0301" * 40 + "o" + "\u0337\u0489" * 25,
    "combining marks of other scripts": "\u0e01" + "\u0e49" * 30 + "\u05d0" + "\u05b8" * 20,
    "marks on nothing": "\u0301\u0302 \u20dd",
    "right to left letters": "pay \u05d0\u05d1\u05d2 100 \u0627\u0644 200",
    "look-alikes": "p\u0430ypal.com \u0391dmin s\u0441ope",
    "full width": "\uff52\uff4d \uff0d\uff52\uff46 \uff0f",
    "mathematical letters": "\U0001d5ee\U0001d5fd\U0001d5fd\U0001d5ff\U0001d5fc\U0001d603\U0001d5f2",
    "slack mentions": "<!channel> <!here> <!everyone> <@U0DANA> <#C0X> <!subteam^S1> <!date^1^{date}|today>",
    "slack links": "<http://evil.example|Approve> <https://good.example|https://evil.example> <mailto:a@x|dana>",
    "slack formatting": "*Approved* _by_ ~dana~ `code` >quote :white_check_mark: &lt;!channel&gt; &amp;",
    "backticks": "``` \n```\n*Approved by dana* `x` ````js",
    "markdown": "[Approve](http://evil.example) ![x](http://evil.example/p.png) **bold** # head\n- item\n1. item\n| a | b |",
    "markdown autolinks": "<javascript:alert(1)> [x]: http://evil.example\n\n[Approve][x] http://evil.example/?q=1",
    "html": "</pre></td><script>alert(1)</script><img src=x onerror=alert(1)><a href='http://evil.example'>Approve</a>",
    "html entities": "&#60;script&#62; &lt;b&gt; \"><style>*{display:none}</style><!-- --><![CDATA[",
    "mime boundary": "\r\n--part-x--\r\nContent-Type: text/html\r\n\r\n<b>Approved</b>",
    "header injection": "x\r\nBcc: evil@example.com\r\nSubject: Approved\r\n\r\nbody",
    "encoded words": "=?utf-8?B?QXBwcm92ZWQ=?= =?utf-8?Q?=0D=0ABcc:_evil@example.com?=",
    "smtp end": "\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.com>\r\n",
    "discord mentions": "@everyone @here <@123456789012345678> <@&1> <#1> ||spoiler|| <t:0:R> <:x:1>",
    "mattermost mentions": "@all @channel @here ~town-square /echo x #tag",
    "google chat mentions": "<users/all> <users/12345> <https://evil.example|Approve> *b* _i_ ~s~",
    "teams mentions": "<at>Dana</at> <at id=\"0\">all</at>",
    "json breaking": "\",\"actions\":[{\"type\":\"button\"}],\"x\":\"\\\" \\\\ \\u0022 {}[],:",
    "script in json": "</script><!--\u2028*/ alert(1) //",
    "placeholders": "${link} ${option.topic} {{heading}} {{ 7*7 }} %s %n $(id) #{x} <%= x %> ${${name}} #${priority}",
    "unfinished placeholder": "${heading ${ $",
    "facts of ours": "Risk: low\nApproved by dana at 2026-11-24T06:24:23 UTC\nDigest: 000000000000…",
    "cuts of ours": "… 0 of 0 bytes are not shown here … … (0 more bytes) …",
    "one long word": "A" * 1900,
    "wide long word": "\U0001f600" * 450,
    "newlines": "rm -rf /" + "\n" * 1500 + "ok",
    "blanks": "ls" + " " * 1500 + "; rm -rf /",
    "emoji and flags": "\U0001f468\u200d\U0001f4bb \U0001f1e9\U0001f1ea \u0031\ufe0f\u20e3",
    "formula": "=HYPERLINK(\"http://evil.example\",\"Approve\") @SUM(1) +1 -1",
    "urls": "https://user:pass@good.example@evil.example/?a=%0d%0a#x http://xn--pypal-4ve.example javascript:1 data:text/html,1",
}
# What is no text (RFC 8259, RFC 7493), as it would stand between two quotes.
NO_TEXTS = {"an unpaired surrogate": b"\\ud800", "reversed surrogates": b"\\udc00\\ud800", "a low one alone": b"x\\udfff", "surrogates as UTF-8": b"\xed\xa0\x80",
            "noncharacters": b"\xef\xb7\x90", "the last of a plane": b"\\ud83f\\udfff", "overlong": b"\xc0\xaf", "cut in two": b"\xe2\x80", "Latin 1": b"\xe4",
            "a raw control": b"\x1b[2J", "a raw line": b"a\nb"}

HIDDEN_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
# Default_Ignorable_Code_Point where the category does not say so, and blanks that are letters or symbols.
HIDDEN = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F, 0x2065, 0x2800, 0x3164, 0xFFA0,
          *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}
MARKS_MAX = 3


def misleads(sign):
    point = ord(sign)
    return (unicodedata.category(sign) in HIDDEN_CATEGORIES or point in HIDDEN or (point & 0xFFFE) == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
            or (unicodedata.category(sign) == "Zs" and sign != " "))


def visible(text):
    out, has_base, marks = [], False, 0
    for sign in text:
        is_mark = unicodedata.category(sign)[0] == "M"
        if misleads(sign) or (is_mark and (not has_base or marks >= MARKS_MAX)):
            out.append({"\n": "\\n", "\t": "\\t"}.get(sign, f"\\u{{{ord(sign):x}}}"))
            has_base, marks = (False, 0) if misleads(sign) or not has_base else (True, marks)
        else:
            out.append(sign)
            has_base, marks = sign != " ", marks + 1 if is_mark else 0
    return "".join(out)


def cut(text, bytes_max):
    """As a card shows a text of the agent's that may be long."""
    raw = text.encode()
    if len(raw) <= bytes_max:
        return visible(text)
    kept = raw[:bytes_max].decode(errors="ignore")
    return f"{visible(kept)} … ({len(raw) - len(kept.encode())} more bytes)"


def arguments(args):
    """Canonical JSON, one member a line."""
    return "\n".join(visible(line) for line in json.dumps(args, indent=2, ensure_ascii=False, sort_keys=True).split("\n"))


def unseen(text, allowed="\n"):
    """Characters that mislead and stand there raw."""
    marks, found = 0, []
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign)[0] == "M" else 0
        if (misleads(sign) and sign not in allowed) or marks > MARKS_MAX:
            found.append(f"U+{ord(sign):04X}")
    return found


WORDS_MAX = 5


def alphabet(sign):
    return unicodedata.name(sign, "").split(" ")[0] if unicodedata.category(sign)[0] == "L" else ""


def mixed(*texts):
    """Words of Latin and of letters that look like Latin's, as a card names them; "" when there are none."""
    found = []
    for text in texts:
        for word in re.findall(r"\w+", "".join(sign for sign in text if unicodedata.category(sign)[0] != "M")):
            odd = list(dict.fromkeys(sign for sign in word if alphabet(sign) in ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")))
            said = f"{word} ({', '.join(f'{sign} U+{ord(sign):04X}' for sign in odd)})"
            if odd and any(alphabet(sign) == "LATIN" for sign in word) and said not in found:
                found.append(said)
    return ", ".join(found[:WORDS_MAX]) + (" …" if len(found) > WORDS_MAX else "")


def strings(value):
    """All names and texts of a JSON value, in canonical order."""
    if isinstance(value, dict):
        return [text for name in sorted(value) for text in (name, *strings(value[name]))]
    if isinstance(value, list):
        return [text for member in value for text in strings(member)]
    return [value] if isinstance(value, str) else []
