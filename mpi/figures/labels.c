/* Names beside points. */
#include "mpi/figures/labels.h"

#include "kernels/base/utf8.h"

enum { LETTER = 7, LINE = 13, POINT = 5 }; /* units: a letter's width, a line's height, half of a point */

typedef struct box {
    double left, right, low, high;
} box;

static box box_of(const vb_label *label, double width, double height) {
    const double x = label->x * width, y = label->y * height, wide = (double)LETTER * (double)vb_utf8_count(label->name);
    const double from = label->left ? x - POINT - wide : x + POINT;
    return (box){from, from + wide, y - LINE / 2.0, y + LINE / 2.0};
}

static bool meet(const box *a, const box *b) {
    return a->left < b->right && b->left < a->right && a->low < b->high && b->low < a->high;
}

void vb_labels_choose(vb_label *labels, int count, double width, double height) {
    for (int i = 0; i < count; i++) {
        const box own = box_of(&labels[i], width, height);
        labels[i].shown = true;
        for (int k = 0; k < count && labels[i].shown; k++) {
            const double x = labels[k].x * width, y = labels[k].y * height;
            const box point = {x - POINT, x + POINT, y - POINT, y + POINT}, other = box_of(&labels[k], width, height);
            if (k != i && (meet(&own, &point) || (k < i && labels[k].shown && meet(&own, &other)))) labels[i].shown = false;
        }
    }
}
