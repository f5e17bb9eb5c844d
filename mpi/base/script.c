/* The filling of batch script templates. */
#include "mpi/base/script.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"

typedef struct text {
    char *bytes;
    size_t filled, capacity;
} text;

static int put(text *out, const char *bytes, size_t n, vb_error *err) {
    if (vb_grow((void **)&out->bytes, &out->capacity, out->filled + n + 1, 1, "script", err)) return -1;
    memcpy(out->bytes + out->filled, bytes, n);
    out->bytes[out->filled += n] = 0;
    return 0;
}

/* Length of the placeholder that begins here, its two @ included; 0: there is none. */
static size_t placeholder(const char *at) {
    if (*at != '@') return 0;
    size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return n && at[n + 1] == '@' ? n + 2 : 0;
}

static int fill_line(text *out, const char *line, size_t size, const char *path, int number, const vb_slot *slots,
                     vb_error *err) {
    size_t before = out->filled;
    bool all_given = true;
    for (const char *at = line; at < line + size;) {
        size_t n = placeholder(at);
        if (!n) {
            if (put(out, at++, 1, err)) return -1;
            continue;
        }
        const vb_slot *slot = slots;
        while (slot->name && (strlen(slot->name) != n - 2 || memcmp(slot->name, at + 1, n - 2))) slot++;
        if (!slot->name) return vb_errorf(err, VB_ECONFIG, "%s:%d: unknown placeholder %.*s", path, number, (int)n, at);
        if (!slot->value) all_given = false;
        if (slot->value && put(out, slot->value, strlen(slot->value), err)) return -1;
        at += n;
    }
    if (!all_given) out->bytes[out->filled = before] = 0;
    return 0;
}

int vb_script_fill(const char *template, const char *path, const vb_slot *slots, char **script, vb_error *err) {
    text out = {0};
    int number = 1;
    *script = NULL;
    if (put(&out, "", 0, err)) return -1;
    for (const char *at = template; *at; number++) {
        size_t size = strcspn(at, "\n");
        size += at[size] == '\n';
        if (fill_line(&out, at, size, path, number, slots, err)) {
            vb_free(out.bytes);
            return -1;
        }
        at += size;
    }
    *script = out.bytes;
    return 0;
}

char *vb_script_shell_word(const char *word, const char *what, vb_error *err) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    for (const char *at = word; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            vb_errorf(err, VB_EUSAGE, "%s: expected no control characters, found one at byte %td of '%s'", what, at - word, word);
            return NULL;
        }
    if (*word && !word[strspn(word, plain)]) return vb_strdup(word, err);
    text out = {0};
    int status = put(&out, "'", 1, err);
    for (const char *at = word; *at && !status; at++) status = *at == '\'' ? put(&out, "'\\''", 4, err) : put(&out, at, 1, err);
    if (!status && !put(&out, "'", 1, err)) return out.bytes;
    vb_free(out.bytes);
    return NULL;
}

char *vb_script_append_word(char *words, const char *more, vb_error *err) {
    char *joined = vb_format(err, "%s%s%s", words ? words : "", words && *words ? " " : "", more);
    vb_free(words);
    return joined;
}

int vb_script_slurm_time(const char *written, int64_t *seconds, vb_error *err) {
    int64_t part[4];
    int parts = 0, days = 0;
    const char *at = written;
    for (;;) {
        size_t n = strspn(at, "0123456789");
        if (!n || n > 6 || parts == 4) goto wrong;
        part[parts] = 0;
        for (size_t i = 0; i < n; i++) part[parts] = 10 * part[parts] + (at[i] - '0');
        parts++;
        at += n;
        if (!*at) break;
        if (*at == '-' && parts == 1) days = 1;
        else if (*at != ':') goto wrong;
        at++;
    }
    if (days) {
        /* D-H, D-H:M, D-H:M:S */
        if (parts < 2) goto wrong;
        *seconds = part[0] * 86400 + part[1] * 3600 + (parts > 2 ? part[2] * 60 : 0) + (parts > 3 ? part[3] : 0);
    } else {
        if (parts > 3) goto wrong;
        *seconds = parts == 1 ? part[0] * 60 : parts == 2 ? part[0] * 60 + part[1] : part[0] * 3600 + part[1] * 60 + part[2];
    }
    if (*seconds > 0) return 0;
wrong:
    return vb_errorf(
        err, VB_EUSAGE,
        "time: expected MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS or DAYS-HOURS[:MINUTES[:SECONDS]], found '%s'", written);
}
