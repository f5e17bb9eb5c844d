/* The filling of batch script templates. */
#include "mpi/base/script.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "shards/files/path.h"

/* Length of the placeholder that begins here, its two @ included; 0: there is none. */
static size_t placeholder(const char *at) {
    if (*at != '@') return 0;
    size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return n && at[n + 1] == '@' ? n + 2 : 0;
}

static void cut(vb_strbuf *out, size_t filled) {
    out->filled = filled;
    if (out->bytes) out->bytes[filled] = 0;
}

static int fill_line(vb_strbuf *out, const char *line, size_t size, const char *path, int number, const vb_slot *slots,
                     vb_error *err) {
    size_t before = out->filled;
    bool all_given = true;
    for (const char *at = line; at < line + size;) {
        size_t n = placeholder(at);
        if (!n) {
            vb_strbuf_add_n(out, at++, 1);
            continue;
        }
        const vb_slot *slot = slots;
        while (slot->name && (strlen(slot->name) != n - 2 || memcmp(slot->name, at + 1, n - 2))) slot++;
        if (!slot->name) return vb_errorf(err, VB_ECONFIG, "%s:%d: unknown placeholder %.*s", path, number, (int)n, at);
        if (!slot->value) all_given = false;
        if (slot->value) vb_strbuf_add(out, slot->value);
        at += n;
    }
    if (!all_given) cut(out, before);
    return 0;
}

int vb_script_fill(const char *template, const char *path, const vb_slot *slots, char **script, vb_error *err) {
    assert(template && path && slots);
    vb_strbuf out = {0};
    int number = 1, status = 0;
    *script = NULL;
    vb_strbuf_add(&out, "");
    for (const char *at = template; *at && !status; number++) {
        size_t size = strcspn(at, "\n");
        size += at[size] == '\n';
        status = fill_line(&out, at, size, path, number, slots, err);
        at += size;
    }
    if (!status) status = vb_strbuf_end(&out, "script", err);
    if (status) vb_strbuf_free(&out);
    *script = out.bytes;
    return status;
}

/* backslash: what stands for one within quotes. */
static char *quote(const char *word, const char *backslash, const char *what, vb_error *err) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    for (const char *at = word; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            vb_errorf(err, VB_EUSAGE, "%s: expected no control characters, found one at byte %td of '%s'", what, at - word, word);
            return NULL;
        }
    if (*word && !word[strspn(word, plain)]) return vb_strdup(word, err);
    vb_strbuf out = {0};
    vb_strbuf_add(&out, "'");
    for (const char *at = word; *at; at++) {
        if (*at == '\'') vb_strbuf_add(&out, "'\\''");
        else if (*at == '\\') vb_strbuf_add(&out, backslash);
        else vb_strbuf_add_n(&out, at, 1);
    }
    vb_strbuf_add(&out, "'");
    if (vb_strbuf_end(&out, "script", err)) vb_strbuf_free(&out);
    return out.bytes;
}

char *vb_script_shell_word(const char *word, const char *what, vb_error *err) { return quote(word, "\\", what, err); }
char *vb_script_sbatch_word(const char *word, const char *what, vb_error *err) { return quote(word, "\\\\", what, err); }

char *vb_script_path_word(const char *path, const char *what, vb_error *err) {
    char *written = vb_path_written(path, err), *word = written ? vb_script_shell_word(written, what, err) : NULL;
    vb_free(written);
    return word;
}

void vb_script_print_command(const char *command, const char *path) {
    vb_error none;
    char *word = vb_script_path_word(path, command, &none);
    printf("vocabench %s %s", command, word ? word : path);
    vb_free(word);
}

char *vb_script_append_word(char *words, const char *more, vb_error *err) {
    char *joined = vb_format(err, "%s%s%s", words ? words : "", words && *words ? " " : "", more);
    vb_free(words);
    return joined;
}

/* The numbers between - and :, at most four; *days: the first one is followed by -. How many; 0 when the text is no time. */
static int read_parts(const char *at, int64_t part[4], bool *days) {
    *days = false;
    for (int parts = 0; parts < 4;) {
        size_t n = strspn(at, "0123456789");
        if (!n || n > 6) return 0;
        part[parts] = 0;
        for (size_t i = 0; i < n; i++) part[parts] = 10 * part[parts] + (at[i] - '0');
        parts++;
        at += n;
        if (!*at) return parts;
        if (*at == '-' && parts == 1) *days = true;
        else if (*at != ':') return 0;
        at++;
    }
    return 0;
}

int vb_script_slurm_time(const char *written, int64_t *seconds, vb_error *err) {
    int64_t part[4] = {0};
    bool days;
    int parts = read_parts(written, part, &days);
    *seconds = 0;
    if (days && parts >= 2) *seconds = part[0] * 86400 + part[1] * 3600 + part[2] * 60 + part[3]; /* D-H, D-H:M, D-H:M:S */
    else if (!days && parts == 1) *seconds = part[0] * 60;
    else if (!days && parts == 2) *seconds = part[0] * 60 + part[1];
    else if (!days && parts == 3) *seconds = part[0] * 3600 + part[1] * 60 + part[2];
    if (*seconds > 0) return 0;
    return vb_errorf(
        err, VB_EUSAGE,
        "time: expected MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS or DAYS-HOURS[:MINUTES[:SECONDS]], found '%s'", written);
}
