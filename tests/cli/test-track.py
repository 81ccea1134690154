#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`yolov7 track` as a user meets it. How well it follows is judged by tests/bench/tracking.py.

usage: test-track.py TOOL
"""
import os
import subprocess
import sys
import tempfile

tool = sys.argv[1]


def run(text, *options, output='result.txt'):
    """Exit status, stdout, stderr, and the result's lines as lists of fields."""
    path, result = folder + '/det.txt', folder + '/' + output
    if os.path.exists(result):
        os.unlink(result)
    with open(path, 'wb') as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    done = subprocess.run([tool, 'track', path, '-o', result, *options], capture_output=True, text=True, check=False)
    lines = []
    if os.path.exists(result):
        with open(result, encoding='ascii') as f:
            lines = [line.rstrip('\n').split(',') for line in f]
    return done, lines


def track(text, *options):
    done, lines = run(text, *options)
    assert done.returncode == 0, f'exit status {done.returncode}: {done.stderr}'
    return lines


def walk(frames, confidence='1', x=100, end=',-1,-1,-1'):
    return ''.join(f'{i},-1,{x + 3 * i},50,40.5,90,{confidence}{end}\n' for i in frames)


def refuse(text, words, *options, status=1):
    done, lines = run(text, *options)
    assert done.returncode == status and not lines and not done.stdout, (text, done, lines)
    for word in words.split('|'):
        assert word in done.stderr, (word, done.stderr)


def a_walk_is_one_track():
    lines = track(walk(range(1, 31)))
    assert len(lines) == 30 and all(len(line) == 10 for line in lines), lines
    assert [line[0] for line in lines] == [str(i) for i in range(1, 31)], lines
    assert {line[1] for line in lines} == {'1'}, lines
    assert lines[0][2:] == ['103.000', '50.000', '40.500', '90.000', '1', '-1', '-1', '-1'], lines[0]


def the_summary_counts():
    done, _ = run(walk(range(3, 13)) + walk(range(100, 105), x=900))
    assert done.stdout.startswith('102 frames, 15 detections, 2 tracks in '), done.stdout
    assert 'frames/s' in done.stdout and not done.stderr, done


def frames_without_a_line_were_empty():
    text = walk([*range(1, 21), *range(26, 31)])
    lines = track(text, '--max-predicted-frame-count', '2')
    predicted = [line for line in lines if line[6] == '-1']
    assert [line[0] for line in predicted] == ['21', '22'] and {line[1] for line in lines} == {'1'}, lines
    assert abs(float(predicted[0][2]) - 163) < 2, predicted
    assert len({line[1] for line in track(text, '--min-frame-count-for-lost-track', '3')}) == 2


def forms_of_lines_that_others_write():
    expected = track(walk(range(1, 11)))
    assert track(walk(range(1, 11), end='')) == expected
    assert track(walk(range(1, 11)).replace(',', ' ')) == expected
    assert track(walk(range(1, 11)).replace(',', ', ')) == expected
    assert track(walk(range(1, 11)).replace('\n', '\r\n')) == expected
    assert track(walk(range(1, 11)).rstrip('\n')) == expected
    assert track(walk(range(1, 11)) + '\n\n') == expected


def options_reach_the_tracker():
    text = walk(range(1, 11), '0.8')
    assert track(text) and track(text, '--confidence-power', '1')
    assert track(text, '--confidence-power', '1', '--new-track-confidence-threshold', '0.81') == []
    assert track(text, '--confidence-power', '1', '--high-confidence-threshold', '0.81') == []
    assert len(track(walk(range(1, 11)), '--min-frame-count-for-new-track', '4')) == 7
    jump = walk([1, 2, 3]) + walk([4, 5, 6], x=115)
    assert {line[1] for line in track(jump)} == {'1'}
    assert len({line[1] for line in track(jump, '--iou-score-threshold', '0.95')}) > 1


def a_detector_that_is_always_sure_counts_less():
    """0.9 and less are doubtful where half are above; a file without such a half is taken at its word."""
    sure = walk(range(1, 11), '0.99') + walk(range(11, 21), '0.9', x=900)
    assert {line[0] for line in track(sure) if line[6] != '-1'} == {str(i) for i in range(1, 11)}
    assert len({line[1] for line in track(sure, '--confidence-power', '1')}) == 2
    assert len({line[1] for line in track(walk(range(1, 11), '0.85'))}) == 1


def an_empty_result_is_explained():
    for text, options in ((walk(range(1, 11), '0.92'), []), (walk(range(1, 11), '0.6'), []),
                          (walk(range(1, 11), '0.8'), ['--confidence-power', '8.5']),
                          (walk(range(1, 11), '0.8'), ['--high-confidence-threshold', '0.9'])):
        done, lines = run(text, *options)
        assert done.returncode == 0 and lines == [], done
        assert 'warning: no detection can begin a track' in done.stderr and '--confidence-power 1' in done.stderr, done
    done, lines = run(walk(range(1, 11), '0.71'))
    assert lines and not done.stderr, done


def scores_of_any_scale_count_by_rank():
    """The least confident three tenths are uncertain, whatever the scale; all alike are all certain."""
    good = ''.join(f'{i},-1,{100 + 3 * i},50,40,90,{10 + i},-1,-1,-1\n{i},-1,600,50,40,90,{i / 20 - 1},-1,-1,-1\n'
                   for i in range(1, 21))
    ids = {line[1]: line for line in track(good)}
    assert all(float(line[2]) < 400 for line in ids.values()) and ids, ids
    assert len(track(walk(range(1, 11), '-1'))) == 10
    assert len(track(walk(range(1, 11), '250'))) == 10


def bad_lines_are_named():
    good = walk([1, 2])
    for line, words in (
            ('', 'is empty'), ('\n\n', 'is empty'), ('hello\n', "line 1: |frame is no number in 'hello'"),
            (good + '\n' + good, 'line 3: |frame is no number'), (good + '3,-1,1,2\n', 'line 3: |w is no number'),
            (good + '3,-1,1,2,40,90\n', 'line 3: |confidence is no number'),
            (good + '3,-1,1,2,40,90,nan,-1\n', 'line 3: |confidence is nan'),
            (good + '3,-1,inf,2,40,90,1\n', 'line 3: |x is inf'), (good + '3,-1,1,1e300,40,90,1\n', 'line 3: |y is 1e+300'),
            (good + '3,-1,1,2,0,90,1\n', 'line 3: |w is 0, expected'), (good + '3,-1,1,2,40,-90,1\n', 'line 3: |h is -90'),
            (good + '3,-1,1,2,4O,90,1\n', 'line 3: |w is no number'), ('0,-1,1,2,40,90,1\n', 'line 1: |frame is 0, expected 1'),
            ('-4,-1,1,2,40,90,1\n', 'line 1: |frame is -4'), ('1.5,-1,1,2,40,90,1\n', 'line 1: |no whole number'),
            ('1e12,-1,1,2,40,90,1\n', 'line 1: |frame is 1e+12, expected 1 to 1e+08'),
            (walk([2, 1]), 'line 2: |frame 1 comes after frame 2|sort'), (b'1,-1,1,2,40,90,1\n\0\n', 'a byte of 0 at offset 17'),
            (b'\xff\xfe1,-1\n', 'line 1: |frame is no number'), ('x' * 100000, 'line 1: |...')):
        refuse(line, f'{folder}/det.txt|' + words)


def a_long_silence_is_no_harm():
    done, lines = run(walk([1, 2, 3]) + '5000000,-1,100,50,40.5,90,1\n')
    assert done.returncode == 0 and done.stdout.startswith('5000000 frames'), done
    assert [line[0] for line in lines] == ['1', '2', '3', '4', '5000000'], lines


def files_that_cannot_be_read_or_written():
    for path, words in ((folder + '/gone.txt', 'gone.txt'), (folder, 'directory'), ('/dev/null', '/dev/null')):
        done = subprocess.run([tool, 'track', path, '-o', folder + '/out.txt'], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and words in done.stderr and not os.path.exists(folder + '/out.txt'), (path, done)
    done, _ = run(walk([1]), output='no/such/folder.txt')
    assert done.returncode == 1 and 'no/such/folder.txt' in done.stderr, done
    done = subprocess.run([tool, 'track', folder + '/det.txt', '-o', '/dev/full'], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and '/dev/full' in done.stderr and 'write' in done.stderr, done


def wrong_arguments():
    for options, words in (
            (['--iou-score-threshold', '1.5'], '--iou-score-threshold is 1.5'),
            (['--high-confidence-threshold', 'nan'], '--high-confidence-threshold is nan'),
            (['--new-track-confidence-threshold', '-1'], '--new-track-confidence-threshold is -1'),
            (['--confidence-power', '-1'], '--confidence-power is -1, expected 0 to 100'),
            (['--confidence-power', 'nan'], '--confidence-power is nan'), (['--min-frame-count-for-new-track', '0'], 'is 0, expected 1'),
            (['--min-frame-count-for-lost-track', '-1'], 'min-frame-count-for-lost-track is negative'),
            (['--max-predicted-frame-count', '-1'], 'max-predicted-frame-count is negative'),
            (['--no-such-option'], 'no-such-option'), ([folder + '/det.txt'], 'expected one file of detections, found 2')):
        refuse(walk([1]), words, *options, status=2)
    for arguments in ([], [folder + '/det.txt'], ['-o', folder + '/out.txt']):
        done = subprocess.run([tool, 'track', *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and 'expected' in done.stderr, done


TESTS = [a_walk_is_one_track, the_summary_counts, frames_without_a_line_were_empty, forms_of_lines_that_others_write,
         options_reach_the_tracker, a_detector_that_is_always_sure_counts_less, an_empty_result_is_explained,
         scores_of_any_scale_count_by_rank, bad_lines_are_named, a_long_silence_is_no_harm,
         files_that_cannot_be_read_or_written, wrong_arguments]
with tempfile.TemporaryDirectory() as folder:
    print(f'1..{len(TESTS)}')
    failed = 0
    for i, test in enumerate(TESTS, 1):
        name = test.__name__.replace('_', ' ')
        try:
            test()
            print(f'ok {i} - {name}')
        except AssertionError as error:
            print('# ' + str(error).replace('\n', '\n# '))
            print(f'not ok {i} - {name}')
            failed += 1
sys.exit(failed > 0)
