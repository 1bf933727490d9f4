"""Configurations that are broken or hostile, and the one rule for whatever comes out of them."""

from __future__ import annotations

import traceback
from typing import Any

from viewra_lite.config.loading import load_config
from viewra_lite.config.options import Config
from viewra_lite.errors import ConfigError

SECRET = "s3cr3t-hunter2"
S = SECRET.encode()
PG = b"database:\n  type: postgres\n  password: s3cr3t-hunter2\n"  # three lines
SYNTAX = "is not valid YAML: quote a value"
LIMIT = 64 * 1024

BAD_FILES: dict[str, tuple[bytes, str]] = {
    # Not text, or too much of it.
    "empty": (b"", "is empty: it needs a section 'database:'"),
    "only-a-comment": (b"# password: " + S, "is empty"),
    "only-document-marks": (b"---\n...\n", "line 2: expected sections"),
    "over-the-size-cap": (PG + b"#" * LIMIT, "larger than 64 KiB"),
    "nul": (PG + b"  host: a\0b\n", "line 4: contains a NUL character"),
    "latin-1": (PG + b"  host: caf\xe9\n", "line 4: is not UTF-8 text"),
    "utf-16": (PG.decode().encode("utf-16"), "NUL"),
    "utf-8-surrogate": (PG + b"  host: \xed\xa0\x80\n", "line 4: is not UTF-8 text"),
    "binary": (b"SQLite format 3\0" + S, "is a database, not a settings file: give sqlite"),
    "bell": (PG + b"  host: a\x07b\n", "line 4: contains a character that YAML does not allow"),
    "c1-control": (PG + "  host: a\x9fb\n".encode(), "line 4: contains a character that YAML"),
    "byte-order-mark-within": (PG + b"  host: a\xef\xbf\xbfb\n", "line 4: contains a character"),
    "tab-indent": (PG + b"\thost: db\n", "line 4: contains a tab"),
    "tab-in-a-value": (
        b"database:\n  type: postgres\n  password: '" + S + b"\t'\n",
        "line 3: contains a tab",
    ),
    # Broken syntax: the parser's own message would hold the password.
    "quote-not-closed": (b"database:\n  password: '" + S + b"\n  port: 1\n", f"line 2: {SYNTAX}"),
    "double-quote-not-closed": (b'database:\n  password: "' + S + b"\n", f"line 2: {SYNTAX}"),
    "text-after-a-quote": (b"database:\n  password: 'a' " + S + b"\n", f"line 2: {SYNTAX}"),
    "bad-escape": (b'database:\n  password: "' + S + b'\\q"\n', f"line 2: {SYNTAX}"),
    "escape-beyond-unicode": (b'database:\n  password: "' + S + b'\\UFFFFFFFF"\n', SYNTAX),
    "colon-in-a-plain-value": (b"database:\n  password: " + S + b": x\n", f"line 2: {SYNTAX}"),
    "two-pairs-in-a-line": (b"database: password: " + S + b"\n", f"line 1: {SYNTAX}"),
    "percent-at-the-start": (b"database:\n  password: %" + S + b"\n", f"line 2: {SYNTAX}"),
    "at-sign-at-the-start": (b"database:\n  password: @" + S + b"\n", f"line 2: {SYNTAX}"),
    "backtick-at-the-start": (b"database:\n  password: `" + S + b"`\n", f"line 2: {SYNTAX}"),
    "brace-not-closed": (b"database: {password: " + S + b"\n", SYNTAX),
    "bracket-not-closed": (b"database:\n  password: [" + S + b"\n", SYNTAX),
    "brackets-crossed": (b"database: {password: [" + S + b"}]\n", f"line 1: {SYNTAX}"),
    "bad-indentation": (PG + b" port: 1\n", f"line 4: {SYNTAX}"),
    "indented-too-far": (PG + b"      port: 1\n", f"line 4: {SYNTAX}"),
    "no-space-after-the-colon": (b"database:\n  type: postgres\n  password:" + S + b"\n", SYNTAX),
    "merge-conflict": (b"<<<<<<< HEAD\n" + PG + b"=======\n" + PG + b">>>>>>> x\n", SYNTAX),
    "windows-path-in-double-quotes": (
        b'database:\n  database_path: "C:\\video\\v.db"\n',
        "in double quotes YAML reads \\ as an escape",
    ),
    "yaml-version-2": (b"%YAML 2.0\n---\n" + PG, f"line 1: {SYNTAX}"),
    "yaml-version-endless": (b"%YAML 1." + b"1" * 9000 + b"\n---\n" + PG, SYNTAX),
    "block-scalar-bad-header": (b"database:\n  password: |x " + S + b"\n", f"line 2: {SYNTAX}"),
    "json-with-a-stray-comma": (b'{"database": {"password": "' + S + b'",,}}', SYNTAX),
    "ini-file": (b"[database]\npassword = " + S + b"\n", SYNTAX),
    # YAML that a settings file has no use for.
    "anchor": (b"database:\n  password: &" + S + b" x\n", "line 2: an anchor (&)"),
    "anchor-on-a-mapping": (b"x: &x\n  y: 1\n" + PG, "line 1: an anchor (&)"),
    "alias": (PG + b"  user: *" + S + b"\n", "line 4: an alias (*)"),
    "alias-as-a-key": (PG + b"  *a : 1\n", "line 4: an alias (*)"),
    "billion-laughs": (b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n" + PG, "line 1: an anchor (&)"),
    "itself-inside-itself": (b"&a database: *a\n", "line 1: an anchor (&)"),
    "tag": (b"database:\n  password: !" + S + b" x\n", "line 2: a tag (!)"),
    "tag-python-object": (
        b"database: !!python/object/apply:os.system ['echo " + S + b"']\n",
        "line 1: a tag (!)",
    ),
    "tag-standard": (b"database:\n  type: !!str sqlite\n", "line 2: a tag (!)"),
    "tag-binary": (b"database:\n  password: !!binary czNjcjN0\n", "line 2: a tag (!)"),
    "tag-include": (b"database: !include " + S + b".yaml\n", "line 1: a tag (!)"),
    "tag-on-a-key": (b"!x database:\n  password: " + S + b"\n", "line 1: a tag (!)"),
    "tag-undeclared": (b"database: !x!y " + S + b"\n", SYNTAX),
    "tag-directive": (b"%TAG !x! tag:" + S + b",1:\n---\n" + PG, "a %TAG directive"),
    "merge-key": (PG + b"  <<: {port: 1}\n", "line 4: a merge key (<<)"),
    "merge-key-bomb": (b"x:\n  <<: [" + b"{a: 1}," * 5000 + b"]\n", "line 2: a merge key (<<)"),
    "two-documents": (PG + b"---\n" + PG, "line 4: a second document"),
    "document-after-the-end": (PG + b"...\n--- x\n", "line 5: a second document"),
    "a-list-as-a-key": (PG + b"  ? [" + S + b"]\n  : 1\n", "line 4: a list or a mapping as a key"),
    "a-mapping-as-a-key": (b"? {a: " + S + b"}\n: 1\n", "line 1: a list or a mapping as a key"),
    "nested-deep-in-brackets": (b"[" * LIMIT, "is nested deeper than 16 levels"),
    "nested-deep-in-braces": (b"{a: " * 9000, "is nested deeper than 16 levels"),
    "nested-deep-in-dashes": (b"- " * 9000, "is nested deeper than 16 levels"),
    "nested-deep-in-questions": (b"? " * 9000, "a list or a mapping as a key"),
    # Keys.
    "key-twice": (PG + b"  password: other\n", "line 4: 'password' is given twice (first in line"),
    "key-twice-in-quotes": (PG + b'  "password": x\n', "line 4: 'password' is given twice"),
    "section-twice": (PG + PG, "line 4: 'database' is given twice (first in line 1)"),
    "key-twice-in-another-section": (
        b"web:\n  " + S + b": 1\n  " + S + b": 2\n" + PG,
        "line 3: (name not shown) is given twice",
    ),
    "key-misspelt": (
        b"database:\n  databse_path: " + S + b"\n",
        "line 2: unknown option 'databse_path' (did you mean database_path?)",
    ),
    "password-misspelt": (PG + b"  pasword: " + S + b"\n", "line 4: unknown option 'pasword' (did"),
    "key-with-a-hyphen": (
        b"database:\n  pool-size: 4\n",
        "line 2: unknown option 'pool-size' (did",
    ),
    "key-in-capitals": (b"database:\n  TYPE: sqlite\n", "line 2: unknown option 'TYPE'"),
    "key-empty": (b"database:\n  '': " + S + b"\n", "line 2: unknown option (name not shown)"),
    "password-as-a-key": (
        b"database: {type: postgres, " + S + b", password: x}\n",
        "unknown option (name not shown)",
    ),
    "word-as-a-key": (b"database: {type: postgres, hunter}\n", "unknown option (name not shown)"),
    "password-glued-to-its-key": (
        b"database: {type: postgres, password:" + S + b"}\n",
        "line 1: unknown option (name not shown)",
    ),
    "sqlite-key-for-postgres": (
        PG + b"  database_path: x\n",
        "line 4: database_path: belongs to type sqlite",
    ),
    "postgres-key-for-sqlite": (
        b"database:\n  type: sqlite\n  password: " + S + b"\n",
        "line 3: password: belongs to type postgres",
    ),
    "type-forgotten": (b"database:\n  host: db\n", "line 2: host: belongs to type postgres"),
    # The sections.
    "no-section": (b"web:\n  password: " + S + b"\n", "has no section 'database:'"),
    "section-misspelt": (
        b"web: 1\ndatabse:\n  password: " + S + b"\n",
        "(is 'databse' in line 2 a misspelling?)",
    ),
    "options-without-a-section": (b"type: postgres\npassword: " + S + b"\n", "has no section"),
    "section-empty": (b"database:\n", "line 1: database: expected options below it"),
    "section-not-indented": (
        b"database:\ntype: postgres\npassword: " + S + b"\n",
        "line 1: database: expected options below it",
    ),
    "section-a-list": (b"database:\n- password: " + S + b"\n", "line 1: database: expected opti"),
    "section-a-url": (
        b"database: postgresql://viewra:" + S + b"@db/x\n",
        "line 1: database: expected options below it",
    ),
    "section-run-together": (b"database:\n  type:postgres\n", "line 1: database: expected opti"),
    "top-level-a-list": (b"- " + S + b"\n", "line 1: expected sections"),
    "top-level-text": (b"\n\n" + S + b"\n", "line 3: expected sections"),
    # Values.
    "list-for-a-name": (PG + b"  host: [a, b]\n", "line 4: host: expected 1 to 255 printable"),
    "list-for-a-password": (
        b"database:\n  type: postgres\n  password: [" + S + b"]\n",
        "line 3: password: expected text",
    ),
    "mapping-for-a-password": (
        b"database:\n  type: postgres\n  password:\n    - " + S + b"\n",
        "line 3: password: expected text",
    ),
    "mapping-for-a-number": (PG + b"  port: {a: " + S + b"}\n", "line 4: port: expected a whole"),
    "list-for-the-type": (b"database:\n  type: [sqlite]\n", "line 2: type: expected sqlite or"),
    "port-yes": (PG + b"  port: yes\n", "line 4: port: expected a whole number from 1 to 65535 (g"),
    "port-octal": (PG + b"  port: 0123\n", "port: expected a whole number from 1 to 65535, with"),
    "port-hexadecimal": (PG + b"  port: 0x50\n", "line 4: port: expected a whole number"),
    "port-sexagesimal": (PG + b"  port: 1:30\n", "line 4: port: expected a whole number"),
    "port-with-underscore": (PG + b"  port: 5_432\n", "line 4: port: expected a whole number"),
    "port-too-large": (PG + b"  port: 65536\n", "line 4: port: expected a whole number from 1 to"),
    "port-endless": (PG + b"  port: " + b"9" * 9000 + b"\n", "line 4: port: expected a whole"),
    "port-fraction": (PG + b"  port: 5432.0\n", "line 4: port: expected a whole number"),
    "port-empty": (PG + b"  port:\n", "line 4: port: has no value"),
    "port-is-the-password": (PG + b"  port: " + S + b"\n", "line 4: port: expected a whole number"),
    "port-swallows-the-password": (
        b"database:\n  type: postgres\n  port: 5432" + S + b"\n",
        "line 3: port: expected a whole number",
    ),
    "quote-swallows-the-password": (
        b"database:\n  type: 'postgres\n  password: " + S + b"'\n",
        "line 2: type: expected sqlite or postgres",
    ),
    "path-swallows-the-password": (
        b"database:\n  database_path: 'a/\n  password: " + S + b" /'\n",
        "line 2: database_path: expected the path of a file",
    ),
    "password-empty": (
        b"database:\n  type: postgres\n  password:\n",
        "line 3: password: has no value",
    ),
    "password-null": (
        b"database:\n  type: postgres\n  password: null\n",
        "line 3: password: has no value",
    ),
    "path-tilde-alone": (b"database:\n  database_path: ~\n", "line 2: database_path: has no value"),
    "password-on-two-lines": (
        b"database:\n  type: postgres\n  password: |\n    " + S + b"\n    x",
        "line 3: password: expected one line",
    ),
    "password-with-nul": (
        b'database:\n  type: postgres\n  password: "' + S + b'\\0"\n',
        "line 3: password: expected one line",
    ),
    "password-lone-surrogate": (
        b'database:\n  type: postgres\n  password: "' + S + b'\\ud800"\n',
        "line 3: password: expected one line",
    ),
    "password-and-password-file": (
        PG + b"  password_file: pw\n",
        "line 4: password_file: password is given too",
    ),
    "password-file-is-the-password": (
        b"database: {type: postgres, password_file: " + S + b"}\n",
        "password_file: cannot be read: it does not exist",
    ),
    "host-with-an-escape": (PG + b'  host: "a\\e[2Jb"\n', "line 4: host: expected 1 to 255 print"),
    "host-blank": (PG + b"  host: ' '\n", "line 4: host: expected 1 to 255 printable"),
    "type-unknown": (
        b"database:\n  type: mysql\n  password: " + S + b"\n",
        "line 2: type: expected sqlite or postgres (given: 'mysql')",
    ),
    "threshold-nan": (PG + b"  freeze_threshold: .nan\n", "line 4: freeze_threshold: expected"),
    "threshold-infinite": (PG + b"  freeze_threshold: .inf\n", "line 4: freeze_threshold: exp"),
    "threshold-percent": (PG + b"  freeze_threshold: 25%\n", "from 0 to 1 (given: '25%')"),
    "path-memory": (
        b"database:\n  database_path: ':memory:'\n",
        "a store cannot be kept in memory",
    ),
    "path-empty": (b"database:\n  database_path: ''\n", "line 2: database_path: expected a path"),
    "path-with-nul": (b'database:\n  database_path: "a\\0b"\n', "line 2: database_path: expected"),
    "path-a-folder": (b"database:\n  database_path: .\n", "but this is a folder"),
    "path-trailing-slash": (b"database:\n  database_path: ./data/\n", "add the file's name"),
    "path-is-the-password": (b"database:\n  database_path: " + S + b"/\n", "this is a folder"),
}
VALID = [
    PG.decode() + "  host: localhost\n  port: 5432\n  user: viewra\n  database: viewra\n",
    "server:\n  - {port: 80, tls: yes}\ndatabase: {type: postgres, password: 's3cr3t-hunter2'}\n",
    '---\ndatabase:\n  type: "postgres"\n  port: 1\n  password: "s3cr3t-hunter2" # x\n...\n',
    "database:\n  type: sqlite\n  database_path: ./v.db\n  pool_size: 4\nx: s3cr3t-hunter2\n",
]
YAML_PIECES = [
    "\n",
    "  ",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "!!x ",
    "<<: ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|\n",
    ">",
    "%",
    "@",
    "#",
    "---\n",
    "\\",
    "\0",
    "\t",
    "\ufeff",
    "\u2028",
    ",",
    "database:\n",
    "password: ",
    "type: ",
    SECRET,
    "\x85",
    "\U0010ffff",
    "0",
    "~",
]


def spoken(exc: BaseException) -> str:
    """Everything that a log, a crash reporter or a debugger would show of an exception."""
    frames = traceback.format_exception(type(exc), exc, exc.__traceback__)
    return "\n".join([str(exc), repr(exc), *frames])


def outcome(source: Any, **keywords: Any) -> Config | ConfigError:
    """Load, and hold whatever comes out to the one rule: it never tells the secret."""
    try:
        config = load_config(source, **keywords)
    except ConfigError as exc:
        assert SECRET not in spoken(exc)
        assert exc.__cause__ is None and exc.__context__ is None
        return exc
    return config
