#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes eval-oracle.json: random labels and detections, and the figures that numpy computes for them by the
definitions in ../shared/spec/yolov7.md section 4.4 and of https://cocodataset.org/#detection-eval. Written apart
from tools/eval/, which tests/unit/test-metric.c and test-coco.c compare with it.

usage: eval-oracle.py > eval-oracle.json   (needs numpy; the result is in the repository)
"""
import json
import sys

import numpy as np


def overlap(dets, labels, crowd=None):
    """[n_dets, n_labels] IoU of x y w h boxes; for crowds the part of the detection that is covered."""
    d, g = np.asarray(dets, float).reshape(-1, 4)[:, None], np.asarray(labels, float).reshape(-1, 4)[None]
    size = np.minimum(d[..., :2] + d[..., 2:], g[..., :2] + g[..., 2:]) - np.maximum(d[..., :2], g[..., :2])
    both = size.clip(0).prod(-1)
    union = d[..., 2:].prod(-1) + g[..., 2:].prod(-1) - both
    if crowd is not None:
        union = np.where(np.asarray(crowd, bool)[None], d[..., 2:].prod(-1) + 0 * union, union)
    return both / np.where(union > 0, union, np.inf)


# ---- test.py -----------------------------------------------------------------------------------------------


def right_at(image, thresholds):
    """For each detection whether it is right at each threshold."""
    dets, labels = image['detections'], [g for g in image['labels'] if not g['crowd']]
    right, used = np.zeros((len(dets), len(thresholds)), bool), set()
    for i, d in enumerate(dets):
        same = [k for k, g in enumerate(labels) if g['class'] == d['class']]
        if not same:
            continue
        ious = overlap([d['box']], [labels[k]['box'] for k in same])[0]
        best = same[int(ious.argmax())]
        if ious.max() > thresholds[0] and best not in used:
            used.add(best)
            right[i] = ious.max() > thresholds
    return right


def area_under(recall, precision):
    r = np.concatenate(([0.0], recall, [recall[-1] + 0.01]))
    p = np.concatenate(([1.0], precision, [0.0]))
    p = np.maximum.accumulate(p[::-1])[::-1]
    x = np.linspace(0, 1, 101)
    return np.trapz(np.interp(x, r, p), x)


def test_py(case):
    thresholds = np.linspace(0.5, 0.95, 10)
    right = np.concatenate([right_at(im, thresholds) for im in case['images']])
    conf = np.array([np.float32(d['confidence']) for im in case['images'] for d in im['detections']], float)
    det_class = np.array([d['class'] for im in case['images'] for d in im['detections']])
    label_class = np.array([g['class'] for im in case['images'] for g in im['labels'] if not g['crowd']])
    order = np.argsort(-conf, kind='stable')
    right, conf, det_class = right[order], conf[order], det_class[order]
    x, p_curves, r_curves, aps = np.linspace(0, 1, 1000), [], [], []
    for k in np.unique(label_class):
        mine, n = det_class == k, (label_class == k).sum()
        p_curve, r_curve, ap = np.zeros(1000), np.zeros(1000), np.zeros(10)
        if mine.any():
            tp, fp = right[mine].cumsum(0), (~right[mine]).cumsum(0)
            recall, precision = tp / n, tp / (tp + fp)
            p_curve = np.interp(-x, -conf[mine], precision[:, 0], left=1)
            r_curve = np.interp(-x, -conf[mine], recall[:, 0], left=0)
            ap = np.array([area_under(recall[:, t], precision[:, t]) for t in range(10)])
        p_curves.append(p_curve)
        r_curves.append(r_curve)
        aps.append(ap)
    p, r, aps = np.array(p_curves), np.array(r_curves), np.array(aps)
    best = (2 * p * r / (p + r + 1e-16)).mean(0).argmax()
    return [float(v) for v in (p[:, best].mean(), r[:, best].mean(), aps[:, 0].mean(), aps.mean())]


# ---- COCO --------------------------------------------------------------------------------------------------

AREAS = {'all': (0, 1e10), 'small': (0, 32**2), 'medium': (32**2, 96**2), 'large': (96**2, 1e10)}


def match(dets, labels, area, threshold):
    """(matched, ignored) of each detection, and how many labels count."""
    low, high = area
    skip = np.array([g['crowd'] or not low <= g['area'] <= high for g in labels], bool)
    crowd = np.array([g['crowd'] for g in labels], bool)
    ious = overlap([d['box'] for d in dets], [g['box'] for g in labels], crowd)
    taken = np.zeros(len(labels), bool)
    matched, ignored = np.zeros(len(dets), bool), np.zeros(len(dets), bool)
    for i, d in enumerate(dets):
        for wanted in (False, True):  # labels that count come first
            free = (skip == wanted) & (~taken | crowd) & (ious[i] >= min(threshold, 1 - 1e-10))
            if free.any():
                candidates = np.flatnonzero(free & (ious[i] == ious[i][free].max()))
                taken[candidates[-1]] = True
                matched[i], ignored[i] = True, wanted
                break
        else:
            ignored[i] = not low <= d['box'][2] * d['box'][3] <= high
    return matched, ignored, int((~skip).sum())


def one_class(case, k, area, threshold, most):
    """(precision at 101 recalls, recall reached), or None without labels."""
    conf, matched, ignored, n = [], [], [], 0
    for im in case['images']:
        dets = [d for d in im['detections'] if d['class'] == k][:100]
        m, g, count = match(dets, [g for g in im['labels'] if g['class'] == k], area, threshold)
        conf += [np.float32(d['confidence']) for d in dets[:most]]
        matched += list(m[:most])
        ignored += list(g[:most])
        n += count
    if n == 0:
        return None
    order = np.argsort(-np.array(conf, float), kind='stable')
    counts = ~np.array(ignored, bool)[order]
    right = np.array(matched, bool)[order][counts]
    tp = right.cumsum()
    if len(tp) == 0:
        return np.zeros(101), 0.0
    recall, precision = tp / n, tp / (np.arange(len(tp)) + 1 + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side='left')
    return np.where(at < len(tp), precision[np.minimum(at, len(tp) - 1)], 0), recall[-1]


def coco(case):
    figures = [('p', None, 'all', 100), ('p', 0.5, 'all', 100), ('p', 0.75, 'all', 100), ('p', None, 'small', 100),
               ('p', None, 'medium', 100), ('p', None, 'large', 100), ('r', None, 'all', 1), ('r', None, 'all', 10),
               ('r', None, 'all', 100), ('r', None, 'small', 100), ('r', None, 'medium', 100), ('r', None, 'large', 100)]
    values = []
    for kind, iou, area, most in figures:
        thresholds = [iou] if iou else list(np.linspace(0.5, 0.95, 10))
        found = [one_class(case, k, AREAS[area], t, most) for k in range(case['n_classes']) for t in thresholds]
        found = [f[0].mean() if kind == 'p' else f[1] for f in found if f is not None]
        values.append(float(np.mean(found)) if found else -1.0)
    return values


# ---- cases -------------------------------------------------------------------------------------------------


def random_box(rng, largest):
    w, h = rng.uniform(5, largest, 2)
    return [round(float(v) * 4) / 4 for v in (rng.uniform(0, 400), rng.uniform(0, 300), w, h)]  # exact in float32


def random_image(rng, n_classes, largest, n_labels):
    labels, dets = [], []
    for _ in range(rng.integers(0, n_labels + 1)):
        box = random_box(rng, largest)
        labels.append({'class': int(rng.integers(n_classes)), 'box': box, 'crowd': bool(rng.random() < 0.1),
                       'area': round(box[2] * box[3] * float(rng.uniform(0.5, 1)), 1)})
    for g in labels:  # near each label: none, one or several, some of another class
        for _ in range(rng.integers(0, 4)):
            moved = np.array(g['box']) + rng.normal(0, largest / 25, 4)
            moved[2:] = moved[2:].clip(1)
            wrong = rng.random() < 0.15
            dets.append({'class': int(rng.integers(n_classes)) if wrong else g['class'],
                         'box': [round(float(v) * 4) / 4 for v in moved]})
    dets += [{'class': int(rng.integers(n_classes)), 'box': random_box(rng, largest)} for _ in range(rng.integers(0, 5))]
    for d in dets:
        d['confidence'] = round(float(rng.uniform(0.01, 1)), 2)  # coarse: many are equal
    dets.sort(key=lambda d: -d['confidence'])
    return {'labels': labels, 'detections': dets}


def main():
    rng = np.random.default_rng(7)
    cases = []
    for n_classes, n_images, largest, n_labels in ((1, 12, 150, 6), (4, 25, 200, 8), (9, 15, 60, 12), (3, 3, 300, 60)):
        case = {'n_classes': n_classes, 'images': [random_image(rng, n_classes, largest, n_labels) for _ in range(n_images)]}
        case['test_py'], case['coco'] = test_py(case), coco(case)
        cases.append(case)
    json.dump(cases, sys.stdout, separators=(',', ':'))
    print()


if __name__ == '__main__':
    main()
