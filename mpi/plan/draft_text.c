/* Texts and names of first experiments. */
#include "mpi/plan/draft_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/weights/repository.h"

static bool is_plain(const char *text) {
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"};
    if (!isalpha((unsigned char)*text) && *text != '/' && *text != '.') return false;
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_./-", *at) && (*at != ' ' || !at[1])) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i])) return false;
    return true;
}

void vb_draft_text_scalar(vb_strbuf *out, const char *text) {
    if (is_plain(text)) {
        vb_strbuf_add(out, text);
        return;
    }
    vb_strbuf_add(out, "\"");
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\') vb_strbuf_add(out, "\\");
        if ((unsigned char)*at < 0x20) vb_strbuf_format(out, "\\x%02x", (unsigned)(unsigned char)*at);
        else vb_strbuf_add_n(out, at, 1);
    }
    vb_strbuf_add(out, "\"");
}

void vb_draft_text_path(vb_strbuf *out, const char *path) {
    vb_error none;
    char *written = vb_path_written(path, &none);
    if (written) vb_draft_text_scalar(out, written);
    else out->failed = true;
    vb_free(written);
}

/* The last part of a path without slashes at its end; *n gets its length. */
static const char *last_part(const char *path, size_t end, size_t *n) {
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin && path[begin - 1] != '/') begin--;
    *n = end - begin;
    return path + begin;
}

/* Without the endings that files of this kind have, and with '-' for what no name should hold. */
static char *clean_name(const char *part, size_t n, const char *const *endings, const char *otherwise, vb_error *err) {
    char *name = vb_strndup(part, n, err);
    if (!name) return NULL;
    for (const char *const *ending = endings; *ending; ending++) {
        const size_t length = strlen(name), cut = strlen(*ending);
        if (length > cut && vb_path_ends_with(name, *ending)) name[length - cut] = 0;
    }
    char *to = name;
    for (const char *at = name; *at; at++) {
        const bool fine = isalnum((unsigned char)*at) || strchr("._-", *at);
        if (fine ? *at != '.' || to > name : to > name && to[-1] != '-') *to++ = fine ? *at : '-';
    }
    *to = 0;
    while (to > name && to[-1] == '-') *--to = 0;
    if (strlen(name) > 80) name[80] = 0;
    if (*name) return name;
    vb_free(name);
    return vb_strdup(otherwise, err);
}

char *vb_draft_text_dataset_name(const char *path, vb_error *err) {
    static const char *const endings[] = {".zst", ".tar", ".bin", NULL};
    char *whole = vb_path_absolute(path, err), *name = NULL;
    if (!whole) return NULL;
    size_t n, end = strlen(whole);
    const char *part = last_part(whole, end, &n);
    while (part > whole && (n == 1 ? *part == '.' : memchr(part, '*', n) || memchr(part, '{', n) || memchr(part, '[', n))) {
        end = (size_t)(part - whole); /* "." and patterns name nothing: the folder does */
        part = last_part(whole, end, &n);
    }
    name = clean_name(part, n, endings, "images", err);
    vb_free(whole);
    return name;
}

char *vb_draft_text_model_name(const char *path, vb_error *err) {
    static const char *const endings[] = {".json", ".index", ".tar", ".pt", ".pth", ".bin", ".ckpt", ".safetensors", NULL};
    char *whole = vb_path_absolute(path, err), *name = NULL;
    if (!whole) return NULL;
    size_t n, end = strlen(whole);
    const char *part = last_part(whole, end, &n), *hub;
    char file[64];
    snprintf(file, sizeof file, "%.*s", (int)n, part);
    if (vb_repository_is_weights_name(file) || (n == 1 && *part == '.')) {
        end = (size_t)(part - whole); /* every repository calls them so */
        part = last_part(whole, end, &n);
    }
    /* The hub's cache: models--OWNER--NAME/snapshots/REVISION. */
    size_t above;
    const char *parent = last_part(whole, (size_t)(part - whole), &above);
    if (above == 9 && !strncmp(parent, "snapshots", 9) && (hub = strstr(whole, "/models--"))) {
        part = hub + 9;
        n = strcspn(part, "/");
        for (const char *at = part; at + 2 < part + n; at++)
            if (at[0] == '-' && at[1] == '-') {
                n -= (size_t)(at + 2 - part);
                part = at + 2;
            }
    }
    name = clean_name(part, n, endings, "model", err);
    vb_free(whole);
    return name;
}
