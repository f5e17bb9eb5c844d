/* What surrounds a model's tokenizer: the experiment's word before that of the files beside the weights, theirs before the
 * family's. */
#ifndef VB_TEXT_CONVENTION_H
#define VB_TEXT_CONVENTION_H

#include "kernels/text/tokenizer.h"
#include "mpi/encode/facts.h"

/* Sets the tokenizer's convention and writes it, and who told it, to facts. VB_EMISMATCH: none of the family's conventions goes
 * with the tokenizer or ends texts where they are pooled, or the tokenizer lacks a token. `path` names its file, or where it
 * lies. Local. */
int vb_text_convention_use(vb_tokenizer *tokenizer, vb_facts *facts, const vb_stated_facts *stated, const vb_family *family,
                           const char *path, vb_error *err);

#endif
