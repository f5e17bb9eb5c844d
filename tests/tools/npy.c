/* Test tool: compares, cuts, casts, edits and writes .npy files. On purpose it shares no code with the program that it checks. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct array {
    char type[4]; /* "f2", "f4", "f8", "i4", "i8", "u1", ... */
    int ndim;
    int64_t shape[8], rows, columns; /* columns: elements of a row */
    double *values;
} array;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

static void *memory(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    if (!block) die("no memory");
    return block;
}

static double get(const unsigned char *at, const char *type) {
    _Float16 f2;
    float f4;
    double f8;
    int16_t i2;
    int32_t i4;
    int64_t i8;
    if (!strcmp(type, "f2")) return memcpy(&f2, at, 2), (double)f2;
    if (!strcmp(type, "f4")) return memcpy(&f4, at, 4), (double)f4;
    if (!strcmp(type, "f8")) return memcpy(&f8, at, 8), f8;
    if (!strcmp(type, "i2")) return memcpy(&i2, at, 2), i2;
    if (!strcmp(type, "i4")) return memcpy(&i4, at, 4), i4;
    if (!strcmp(type, "i8")) return memcpy(&i8, at, 8), (double)i8;
    if (!strcmp(type, "i1")) return (signed char)*at;
    if (!strcmp(type, "u1")) return *at;
    die("type %s is unknown here", type);
}

static void put(unsigned char *at, const char *type, double value) {
    _Float16 f2 = (_Float16)value;
    float f4 = (float)value;
    int16_t i2 = 0;
    int32_t i4 = 0;
    int64_t i8 = 0;
    if (type[0] != 'f') i8 = (int64_t)value, i4 = (int32_t)value, i2 = (int16_t)value;
    if (!strcmp(type, "f2")) memcpy(at, &f2, 2);
    else if (!strcmp(type, "f4")) memcpy(at, &f4, 4);
    else if (!strcmp(type, "f8")) memcpy(at, &value, 8);
    else if (!strcmp(type, "i2")) memcpy(at, &i2, 2);
    else if (!strcmp(type, "i4")) memcpy(at, &i4, 4);
    else if (!strcmp(type, "i8")) memcpy(at, &i8, 8);
    else if (!strcmp(type, "i1") || !strcmp(type, "u1")) *at = (unsigned char)i8;
    else die("type %s is unknown here", type);
}

static array load(const char *path) {
    array a = {0};
    FILE *file = fopen(path, "rb");
    if (!file) die("%s: cannot open", path);
    unsigned char start[10];
    if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY\1", 7)) die("%s: no .npy file of version 1", path);
    size_t size = start[8] + 256u * start[9];
    char *header = memory(size + 1, 1);
    if (fread(header, 1, size, file) != size) die("%s: header cut short", path);
    const char *descr = strstr(header, "'descr': '"), *shape = strstr(header, "'shape': (");
    if (!descr || !shape || strstr(header, "'fortran_order': True")) die("%s: header: %s", path, header);
    snprintf(a.type, sizeof a.type, "%.2s", descr + 11);
    for (const char *at = shape + 10; *at && *at != ')';) {
        if (isdigit((unsigned char)*at) && a.ndim < 8) a.shape[a.ndim++] = strtoll(at, (char **)(uintptr_t)&at, 10);
        else at++;
    }
    a.rows = a.ndim ? a.shape[0] : 1;
    a.columns = 1;
    for (int i = 1; i < a.ndim; i++) a.columns *= a.shape[i];
    size_t each = (size_t)(a.type[1] - '0'), count = (size_t)(a.rows * a.columns);
    unsigned char *bytes = memory(count, each);
    if (fread(bytes, each, count, file) != count || fgetc(file) != EOF)
        die("%s: not the %zu bytes that its header promises", path, count * each);
    a.values = memory(count, sizeof *a.values);
    for (size_t i = 0; i < count; i++) a.values[i] = get(bytes + i * each, a.type);
    free(bytes);
    free(header);
    fclose(file);
    return a;
}

static void save(const char *path, const array *a) {
    char shape[256] = "", header[512];
    for (int i = 0, n = 0; i < a->ndim; i++) n += snprintf(shape + n, sizeof shape - (size_t)n, "%" PRId64 ", ", a->shape[i]);
    if (a->ndim > 1) shape[strlen(shape) - 2] = 0;
    int n = snprintf(header, sizeof header, "{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }",
                     a->type[1] == '1' ? "|" : "<", a->type, shape);
    while ((n + 11) % 64) header[n++] = ' ';
    header[n++] = '\n';
    FILE *file = fopen(path, "wb");
    if (!file) die("%s: cannot create", path);
    unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(n % 256), (unsigned char)(n / 256)};
    size_t each = (size_t)(a->type[1] - '0'), count = (size_t)(a->rows * a->columns);
    unsigned char *bytes = memory(count, each);
    for (size_t i = 0; i < count; i++) put(bytes + i * each, a->type, a->values[i]);
    fwrite(start, 1, 10, file);
    fwrite(header, 1, (size_t)n, file);
    if (fwrite(bytes, each, count, file) != count || fclose(file)) die("%s: cannot write", path);
    free(bytes);
}

/* The numbers of a text file. */
static double *numbers(const char *path, int64_t *count) {
    FILE *file = fopen(path, "r");
    if (!file) die("%s: cannot open", path);
    double *list = NULL, value;
    *count = 0;
    while (fscanf(file, "%lf", &value) == 1) {
        if (!(*count & (*count - 1)) && !(list = realloc(list, sizeof *list * (size_t)(*count ? 2 * *count : 1))))
            die("no memory");
        list[(*count)++] = value;
    }
    fclose(file);
    return list;
}

/* The worst row decides: cosine at least, relative distance at most, largest difference of elements at most. "-": not asked.
 * The first rows of the longer array are compared when `rows` says so. */
static int compare(const array *a, const array *b, const char *cosine, const char *relative, const char *absolute,
                   const char *rows) {
    int64_t count = rows ? atoll(rows) : a->rows;
    if (a->columns != b->columns || (!rows && (a->rows != b->rows || a->ndim != b->ndim)) || a->rows < count || b->rows < count ||
        !count) {
        printf("shapes differ: %" PRId64 " x %" PRId64 " and %" PRId64 " x %" PRId64 "\n", a->rows, a->columns, b->rows,
               b->columns);
        return 1;
    }
    double worst_cosine = 1, worst_relative = 0, worst_absolute = 0;
    for (int64_t r = 0; r < count; r++) {
        double aa = 0, bb = 0, ab = 0, dd = 0;
        for (int64_t k = 0; k < a->columns; k++) {
            double x = a->values[r * a->columns + k], y = b->values[r * a->columns + k];
            aa += x * x, bb += y * y, ab += x * y, dd += (x - y) * (x - y);
            if (!(fabs(x - y) <= worst_absolute)) worst_absolute = fabs(x - y);
        }
        if (!(ab / sqrt(aa * bb) >= worst_cosine)) worst_cosine = ab / sqrt(aa * bb);
        if (!(sqrt(dd / bb) <= worst_relative)) worst_relative = sqrt(dd / bb);
    }
    printf("%" PRId64 " rows: cosine %.9f, relative %.3g, absolute %.3g\n", count, worst_cosine, worst_relative, worst_absolute);
    return !((cosine[0] == '-' || worst_cosine >= atof(cosine)) && (relative[0] == '-' || worst_relative <= atof(relative)) &&
             (absolute[0] == '-' || worst_absolute <= atof(absolute)));
}

static array new_array(const char *type, int ndim, int64_t rows, int64_t columns) {
    array a = {.ndim = ndim, .shape = {rows, columns}, .rows = rows, .columns = columns};
    snprintf(a.type, sizeof a.type, "%.2s", type);
    a.values = memory((size_t)(rows * columns), sizeof *a.values);
    return a;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "compare") && (argc == 7 || argc == 8)) {
        array a = load(argv[2]), b = load(argv[3]);
        int differs = compare(&a, &b, argv[4], argv[5], argv[6], argc == 8 ? argv[7] : NULL);
        free(a.values);
        free(b.values);
        return differs;
    }
    array a;
    if (!strcmp(what, "cast") && argc == 5) {
        a = load(argv[2]);
        snprintf(a.type, sizeof a.type, "%.2s", argv[4]);
        save(argv[3], &a);
    } else if (!strcmp(what, "rows") && argc == 5) {
        array from = load(argv[2]);
        int64_t count;
        double *picked = numbers(argv[4], &count);
        a = from;
        a.rows = a.shape[0] = count;
        a.values = memory((size_t)(count * a.columns), sizeof *a.values);
        for (int64_t r = 0; r < count; r++) {
            if (picked[r] < 0 || (int64_t)picked[r] >= from.rows) die("%s has no row %.0f", argv[2], picked[r]);
            memcpy(a.values + r * a.columns, from.values + (int64_t)picked[r] * a.columns, (size_t)a.columns * sizeof *a.values);
        }
        save(argv[3], &a);
        free(from.values);
        free(picked);
    } else if (!strcmp(what, "set") && argc == 7) {
        a = load(argv[2]);
        a.values[atoll(argv[4]) * a.columns + atoll(argv[5])] = atof(argv[6]);
        save(argv[3], &a);
    } else if (!strcmp(what, "fold") && argc == 5) {
        a = load(argv[2]);
        int64_t columns = atoll(argv[4]), count = a.rows * a.columns;
        if (columns < 1 || count % columns) die("%s: %" PRId64 " elements do not make rows of %" PRId64, argv[2], count, columns);
        a.ndim = 2;
        a.rows = a.shape[0] = count / columns;
        a.columns = a.shape[1] = columns;
        save(argv[3], &a);
    } else if (!strcmp(what, "numbers") && argc == 5) {
        int64_t count;
        double *list = numbers(argv[4], &count);
        a = new_array(argv[3], 1, count, 1);
        memcpy(a.values, list, (size_t)count * sizeof *list);
        save(argv[2], &a);
        free(list);
    } else if (!strcmp(what, "random") && argc == 6) {
        uint64_t state = strtoull(argv[5], NULL, 10);
        a = new_array("f4", 2, atoll(argv[3]), atoll(argv[4]));
        for (int64_t i = 0; i < a.rows * a.columns; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            a.values[i] = (double)(state >> 40) / (1 << 23) - 1;
        }
        save(argv[2], &a);
    } else if (!strcmp(what, "print") && argc == 3) {
        a = load(argv[2]);
        for (int64_t r = 0; r < a.rows; r++)
            for (int64_t k = 0; k < a.columns; k++)
                printf("%.17g%c", a.values[r * a.columns + k], k + 1 < a.columns ? ' ' : '\n');
    } else
        die("usage: npy compare A B COSINE RELATIVE ABSOLUTE [ROWS] | cast IN OUT TYPE | rows IN OUT LIST | set IN OUT ROW "
            "COLUMN VALUE |\n"
            "  fold IN OUT COLUMNS | numbers OUT TYPE LIST | random OUT ROWS COLUMNS SEED | print IN");
    free(a.values);
    return 0;
}
