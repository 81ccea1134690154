#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up meson's test logs: every TAP subtest counts, a test without subtests counts as one.

usage: count-tests.py TESTLOG.json...
Names what failed and what was skipped, then prints "N passed, N failed, N skipped". Exit status 1 if
anything failed or nothing passed.
"""
import json
import re
import sys

LINE = re.compile(r'^(not )?ok\b([^#]*)(#\s*(SKIP|TODO)\b.*)?', re.I)


def subtests(entry):
    for line in (entry.get('stdout') or '').splitlines():
        match = LINE.match(line)
        if match:
            skipped = (match.group(4) or '').upper() == 'SKIP'
            yield ('skipped' if skipped else 'failed' if match.group(1) else 'passed'), line


def outcome(entry):
    return {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}.get(entry['result'], 'failed')


def main():
    count = {'passed': 0, 'failed': 0, 'skipped': 0}
    for path in sys.argv[1:]:
        for text in open(path, encoding='utf-8'):
            entry = json.loads(text)
            found = list(subtests(entry))
            whole = outcome(entry)
            # A program that crashed after its last test has failed once more than TAP says.
            if not found or (whole == 'failed' and all(kind != 'failed' for kind, _ in found)):
                found.append((whole, entry['name']))
            for kind, line in found:
                count[kind] += 1
                if kind != 'passed':
                    print(f'{kind}: {entry["name"]}: {line}')
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**count))
    return 1 if count['failed'] or not count['passed'] else 0


sys.exit(main())
