/* Kinds of normalizers, pre-tokenizers and post-processors: a row and a function each; others are refused by their names. */
#include "shards/text/huggingface_steps.h"

#include "kernels/base/memory.h"

/* One object of the file. */
typedef struct item {
    vb_huggingface_steps *out;
    const json_t *object;
    const char *section; /* "normalizer" */
    const char *name;    /* of the file */
    vb_error *err;
} item;

static int fail(const item *it, vb_code code, const char *key, const char *what) {
    return vb_errorf(it->err, code, "%s: %s %s: %s: %s", it->name, it->section,
                     json_string_value(json_object_get(it->object, "type")), key, what);
}

static bool is_true(const item *it, const char *key, bool otherwise) {
    const json_t *value = json_object_get(it->object, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static int add(const item *it, vb_text_step_kind kind, uint32_t flags, const json_t *a, const json_t *b) {
    vb_huggingface_steps *out = it->out;
    if (out->count == VB_HUGGINGFACE_STEPS)
        return vb_errorf(it->err, VB_EUNSUPPORTED, "%s: more than %d normalizers and pre-tokenizers", it->name,
                         VB_HUGGINGFACE_STEPS);
    out->steps[out->count++] = (vb_step_spec){.kind = kind,
                                              .flags = flags,
                                              .a = a ? json_string_value(a) : "",
                                              .a_size = a ? json_string_length(a) : 0,
                                              .b = b ? json_string_value(b) : "",
                                              .b_size = b ? json_string_length(b) : 0};
    return 0;
}

/* A key that must be text. */
static const json_t *text_of(const item *it, const char *key) {
    const json_t *value = json_object_get(it->object, key);
    if (json_is_string(value)) return value;
    fail(it, VB_EDATA, key, "expected text");
    return NULL;
}

/* "pattern": {"String": ...} or {"Regex": ...}. */
static const json_t *pattern_of(const item *it, bool *regex) {
    const json_t *pattern = json_object_get(it->object, "pattern"), *text = json_object_get(pattern, "String");
    *regex = !text;
    if (!text) text = json_object_get(pattern, "Regex");
    if (json_is_string(text) && json_string_length(text)) return text;
    fail(it, VB_EDATA, "pattern", "expected an object with the text String or Regex");
    return NULL;
}

/* ---- normalizers ---- */

static int digit_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int precompiled(const item *it) {
    const json_t *text = text_of(it, "precompiled_charsmap");
    if (!text) return -1;
    const char *at = json_string_value(text);
    size_t n = json_string_length(text), size = 0;
    uint8_t *bytes = vb_array(n / 4 * 3 + 3, 1, "charsmap", it->err);
    uint32_t bits = 0;
    int held = 0;
    if (!bytes) return -1;
    while (n && at[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++) {
        const int digit = digit_of(at[i]);
        if (digit < 0) {
            vb_free(bytes);
            return fail(it, VB_EDATA, "precompiled_charsmap", "expected base64");
        }
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) bytes[size++] = (uint8_t)(bits >> (held -= 8));
    }
    if (it->out->charsmap) {
        vb_free(bytes);
        return fail(it, VB_EUNSUPPORTED, "precompiled_charsmap", "a second one");
    }
    it->out->charsmap = bytes;
    it->out->charsmap_size = size;
    return size ? add(it, VB_STEP_CHARSMAP, 0, NULL, NULL) : 0;
}

static int replace(const item *it) {
    bool regex;
    const json_t *pattern = pattern_of(it, &regex), *content = pattern ? text_of(it, "content") : NULL;
    return content ? add(it, regex ? VB_STEP_REPLACE_REGEX : VB_STEP_REPLACE, 0, pattern, content) : -1;
}

static int lowercase(const item *it) { return add(it, VB_STEP_LOWER, 0, NULL, NULL); }
static int nfc(const item *it) { return add(it, VB_STEP_NFC, 0, NULL, NULL); }

static int prepend(const item *it) {
    const json_t *text = text_of(it, "prepend");
    return text ? add(it, VB_STEP_PREPEND, 0, text, NULL) : -1;
}

static int strip(const item *it) {
    return add(it, VB_STEP_STRIP,
               (is_true(it, "strip_left", true) ? VB_STRIP_LEFT : 0) | (is_true(it, "strip_right", true) ? VB_STRIP_RIGHT : 0),
               NULL, NULL);
}

/* The whole of BERT's, or of a model that keeps case. */
static int bert_normalizer(const item *it) {
    const bool lower = is_true(it, "lowercase", true), strips = is_true(it, "strip_accents", lower);
    if (!is_true(it, "clean_text", true)) return fail(it, VB_EUNSUPPORTED, "clean_text", "false is not computed here");
    if (!is_true(it, "handle_chinese_chars", true))
        return fail(it, VB_EUNSUPPORTED, "handle_chinese_chars", "false is not computed here");
    if (lower != strips) return fail(it, VB_EUNSUPPORTED, "strip_accents", "expected the same as lowercase");
    it->out->bert_normalizer = true;
    it->out->keep_case = !lower;
    return 0;
}

/* ---- pre-tokenizers ---- */

static int metaspace(const item *it) {
    const json_t *symbol = text_of(it, "replacement"), *scheme = json_object_get(it->object, "prepend_scheme");
    const char *word = json_is_string(scheme)                ? json_string_value(scheme) :
                       is_true(it, "add_prefix_space", true) ? "always" :
                                                               "never";
    if (!symbol) return -1;
    if (!json_string_length(symbol)) return fail(it, VB_EDATA, "replacement", "expected a character");
    if (strcmp(word, "always") && strcmp(word, "first") && strcmp(word, "never"))
        return fail(it, VB_EDATA, "prepend_scheme", "expected always, first or never");
    return add(it, VB_STEP_METASPACE,
               (*word == 'a' ? VB_META_ALWAYS :
                *word == 'f' ? VB_META_FIRST :
                               0) |
                   (is_true(it, "split", true) ? VB_META_SPLIT : 0),
               symbol, NULL);
}

static int whitespace_split(const item *it) { return add(it, VB_STEP_WORDS, 0, NULL, NULL); }

static int split(const item *it) {
    static const char *const behaviours[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext"};
    bool regex;
    const json_t *pattern = pattern_of(it, &regex), *behaviour = pattern ? text_of(it, "behavior") : NULL;
    if (!behaviour) return -1;
    uint32_t way = 0;
    while (way < VB_SPLIT_WAYS && strcmp(behaviours[way], json_string_value(behaviour))) way++;
    if (way == VB_SPLIT_WAYS)
        return fail(it, VB_EUNSUPPORTED, "behavior", "expected Removed, Isolated, MergedWithPrevious or MergedWithNext");
    return add(it, regex ? VB_STEP_SPLIT_REGEX : VB_STEP_SPLIT, way | (is_true(it, "invert", false) ? VB_SPLIT_INVERT : 0),
               pattern, NULL);
}

static int byte_level(const item *it) {
    it->out->bytes = true;
    return add(it, VB_STEP_BYTES,
               (is_true(it, "add_prefix_space", true) ? VB_BYTES_SPACE : 0) |
                   (is_true(it, "use_regex", true) ? VB_BYTES_WORDS : 0),
               NULL, NULL);
}

static int bert_words(const item *it) {
    it->out->bert_words = true;
    return 0;
}

/* ---- all of them ---- */

static int nothing(const item *it) {
    (void)it;
    return 0;
}

typedef struct kind {
    const char *type;
    int (*read)(const item *it);
} kind;

static const kind normalizers[] = {{"Precompiled", precompiled},
                                   {"Replace", replace},
                                   {"Lowercase", lowercase},
                                   {"NFC", nfc},
                                   {"Prepend", prepend},
                                   {"Strip", strip},
                                   {"BertNormalizer", bert_normalizer},
                                   {NULL, NULL}};
static const kind pre_tokenizers[] = {{"Metaspace", metaspace},  {"WhitespaceSplit", whitespace_split}, {"Split", split},
                                      {"ByteLevel", byte_level}, {"BertPreTokenizer", bert_words},      {NULL, NULL}};
static const kind post_processors[] = {{"TemplateProcessing", nothing},
                                       {"RobertaProcessing", nothing},
                                       {"BertProcessing", nothing},
                                       {"ByteLevel", nothing},
                                       {NULL, NULL}};

static int read_item(vb_huggingface_steps *out, const json_t *object, const char *section, const char *list, const kind *kinds,
                     int depth, const char *name, vb_error *err) {
    if (!object || json_is_null(object)) return 0;
    const char *type = json_string_value(json_object_get(object, "type"));
    if (!type) return vb_errorf(err, VB_EDATA, "%s: %s: expected an object with a type", name, section);
    if (!strcmp(type, "Sequence")) {
        const json_t *items = json_object_get(object, list);
        if (!json_is_array(items) || depth > 4)
            return vb_errorf(err, VB_EDATA, "%s: %s: expected a list %s", name, section, list);
        for (size_t i = 0; i < json_array_size(items); i++)
            if (read_item(out, json_array_get(items, i), section, list, kinds, depth + 1, name, err)) return -1;
        return 0;
    }
    const item it = {out, object, section, name, err};
    for (; kinds->type; kinds++)
        if (!strcmp(kinds->type, type)) return kinds->read(&it);
    return vb_errorf(err, VB_EUNSUPPORTED, "%s: %s of the type %.60s, which is not computed here", name, section, type);
}

int vb_huggingface_steps_read(vb_huggingface_steps *steps, const json_t *root, const char *name, vb_error *err) {
    *steps = (vb_huggingface_steps){0};
    if (read_item(steps, json_object_get(root, "normalizer"), "normalizer", "normalizers", normalizers, 0, name, err) ||
        read_item(steps, json_object_get(root, "pre_tokenizer"), "pre_tokenizer", "pretokenizers", pre_tokenizers, 0, name,
                  err) ||
        read_item(steps, json_object_get(root, "post_processor"), "post_processor", "processors", post_processors, 0, name,
                  err)) {
        vb_free(steps->charsmap);
        *steps = (vb_huggingface_steps){0};
        return -1;
    }
    return 0;
}
