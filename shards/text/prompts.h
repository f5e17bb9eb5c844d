/* Prompt lists: templates such as "a photo of a {}.", whose one {} stands for the class name.
 *
 *   name: simple
 *   prompts: ["a photo of a {}."]
 */
#ifndef VB_PROMPTS_H
#define VB_PROMPTS_H

#include "shards/files/digest.h"
#include "shards/text/yaml.h"

typedef struct vb_prompts {
    char *name; /* of the file; NULL for a list that stands elsewhere */
    int count;  /* at least 1 */
    char **items;
    vb_digest digest; /* of the templates in their order, whatever the list is called */
} vb_prompts;

/* A prompt list file (configs/prompts/NAME.yaml). VB_ECONFIG with the place for an unknown key, an empty list, or a template with
 * no {}, with more than one, or with another brace. Free with vb_prompts_free, also after a failure (which leaves it empty). */
int vb_prompts_read(vb_prompts *prompts, const char *path, vb_error *err);
/* The same of a list within another file, e.g. an experiment; `name` is that file's. A single text is a list of one. */
int vb_prompts_from_yaml(vb_prompts *prompts, const vb_yaml *list, const char *name, vb_error *err);
void vb_prompts_free(vb_prompts *prompts); /* {0} is fine */

/* The prompt with the class name in place of {}, its underscores as spaces. Free with vb_free. NULL with *err for lack of memory
 * or a prompt without exactly one {}. */
char *vb_prompts_fill(const char *prompt, const char *class_name, vb_error *err);

#endif
