/* Prompt lists: reading, checking and filling templates. */
#include "shards/text/prompts.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "shards/text/did_you_mean.h"

/* Where the {} is; NULL with what is wrong in *problem. Other braces are refused: they would be a slip, or Python's format
 * language. */
static const char *placeholder(const char *prompt, const char **problem) {
    const char *found = strstr(prompt, "{}");
    *problem = NULL;
    if (!found) {
        *problem = "no {} for the class name";
    } else if (strstr(found + 2, "{}")) {
        *problem = "more than one {}";
    } else if (strcspn(prompt, "{}") != (size_t)(found - prompt) || found[2 + strcspn(found + 2, "{}")]) {
        *problem = "a brace besides its {}";
    }
    return *problem ? NULL : found;
}

int vb_prompts_from_yaml(vb_prompts *prompts, const vb_yaml *list, const char *name, vb_error *err) {
    *prompts = (vb_prompts){0};
    bool single = list->kind == VB_YAML_SCALAR && !vb_yaml_is_null(list);
    if (list->kind != VB_YAML_LIST && !single) return vb_yaml_expected(list, name, "a list of prompts", err);
    size_t count = single ? 1 : list->count;
    if (!count) return vb_yaml_errorf(list, name, err, "expected at least one prompt, found an empty list");
    vb_digester *digester = NULL;
    int status = -1;
    prompts->items = vb_array(count, sizeof *prompts->items, "prompts", err);
    if (!prompts->items || vb_digest_new(&digester, err)) goto done;
    vb_digest_add_text(digester, "prompts/1");
    for (size_t i = 0; i < count; i++) {
        const vb_yaml *item = single ? list : list->items[i];
        const char *text, *problem;
        if (vb_yaml_text(item, name, &text, err)) goto done;
        if (!placeholder(text, &problem)) {
            vb_yaml_errorf(item, name, err, "the prompt '%s' has %s", text, problem);
            goto done;
        }
        if (!(prompts->items[i] = vb_strdup(text, err))) goto done;
        prompts->count = (int)i + 1;
        vb_digest_add_text(digester, text);
    }
    prompts->digest = vb_digest_finish(digester);
    digester = NULL;
    status = 0;
done:
    vb_digest_free(digester);
    if (status) vb_prompts_free(prompts);
    return status;
}

int vb_prompts_read(vb_prompts *prompts, const char *path, vb_error *err) {
    static const char *const known[] = {"name", "prompts", NULL};
    *prompts = (vb_prompts){0};
    vb_yaml *root = NULL;
    int status = -1;
    if (vb_yaml_read(&root, path, err)) return -1;
    if (root->kind != VB_YAML_MAP) {
        vb_yaml_expected(root, path, "a map with 'name' and 'prompts'", err);
        goto done;
    }
    for (size_t i = 0; i < root->count; i++) {
        const vb_yaml *key = root->keys[i];
        if (!strcmp(key->text, "name") || !strcmp(key->text, "prompts")) continue;
        const char *near = vb_did_you_mean(key->text, known);
        vb_yaml_errorf(key, path, err, "unknown key '%s', %s", key->text,
                       !near            ? "expected 'name' or 'prompts'" :
                       near == known[0] ? "did you mean 'name'?" :
                                          "did you mean 'prompts'?");
        goto done;
    }
    const vb_yaml *name = vb_yaml_get(root, "name"), *list = vb_yaml_get(root, "prompts");
    const char *text;
    if (!name || !list) {
        vb_yaml_errorf(root, path, err, "the key '%s' is missing", name ? "prompts" : "name");
        goto done;
    }
    if (vb_yaml_text(name, path, &text, err)) goto done;
    if (!*text) {
        vb_yaml_errorf(name, path, err, "expected a name, found an empty text");
        goto done;
    }
    if (vb_prompts_from_yaml(prompts, list, path, err)) goto done;
    prompts->name = vb_strdup(text, err);
    status = prompts->name ? 0 : -1;
done:
    if (status) vb_prompts_free(prompts);
    vb_yaml_free(root);
    return status;
}

void vb_prompts_free(vb_prompts *prompts) {
    for (int i = 0; i < prompts->count; i++) vb_free(prompts->items[i]);
    vb_free(prompts->items);
    vb_free(prompts->name);
    *prompts = (vb_prompts){0};
}

char *vb_prompts_fill(const char *prompt, const char *class_name, vb_error *err) {
    const char *problem, *place = placeholder(prompt, &problem);
    if (!place) {
        vb_errorf(err, VB_ECONFIG, "the prompt '%s' has %s", prompt, problem);
        return NULL;
    }
    size_t before = (size_t)(place - prompt), length = strlen(class_name), after = strlen(place + 2);
    char *text = vb_array(before + length + after + 1, 1, "prompt", err);
    if (!text) return NULL;
    memcpy(text, prompt, before);
    for (size_t i = 0; i < length; i++) text[before + i] = class_name[i] == '_' ? ' ' : class_name[i];
    memcpy(text + before + length, place + 2, after);
    return text;
}
