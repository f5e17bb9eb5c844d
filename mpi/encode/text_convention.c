/* Choosing a row of kernels/text/convention.h, and what differs from it. */
#include "mpi/encode/text_convention.h"

#include "mpi/experiment/options.h"

static const char of_experiment[] = "experiment", of_family[] = "family";

int vb_text_convention_use(vb_tokenizer *tokenizer, vb_facts *facts, const vb_stated_facts *stated, const vb_family *family,
                           const char *path, vb_error *err) {
    const vb_side_facts *side = &facts->side;
    const vb_tokenizer_kind kind = vb_tokenizer_kind_of(tokenizer);
    const char *names = vb_family_conventions(family);
    const int row = stated->convention >= 0 ? stated->convention : vb_convention_choose(names, kind);
    if (row < 0)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s: a tokenizer of the kind %s, but texts of the family %s are cut by the convention %s: state "
                         "convention if this model's texts are others",
                         path, vb_tokenizer_kind_name(kind), family->name, names);
    if (vb_tokenizer_use(tokenizer, &vb_convention_rows[row], path, err)) return -1;
    const char **source = facts->source;
    const char *told = stated->convention >= 0 ? of_experiment : of_family;
    source[VB_FACT_CONVENTION] = source[VB_FACT_CLEANING] = source[VB_FACT_PAD_TOKEN] = told;
    if (stated->cleaning >= 0) {
        vb_tokenizer_clean(tokenizer, (vb_cleaning)stated->cleaning);
        source[VB_FACT_CLEANING] = of_experiment;
    } else if (stated->convention < 0 && side->towers_from && side->cleaning_told) {
        vb_tokenizer_clean(tokenizer, side->cleaning);
        source[VB_FACT_CLEANING] = side->towers_from;
    }
    facts->strip_end = vb_convention_rows[row].strip_end;
    if (stated->convention < 0 && side->towers_from && side->strip_end_told && side->strip_end != facts->strip_end) {
        facts->strip_end = side->strip_end;
        vb_tokenizer_strip_end(tokenizer, side->strip_end);
        source[VB_FACT_END_IDS] = side->towers_from;
    }
    if (vb_tokenizer_start(tokenizer) >= 0) source[VB_FACT_START_TOKEN] = told;
    if (stated->start_token != VB_OPTION_NONE) {
        vb_tokenizer_start_with(tokenizer, (int32_t)stated->start_token);
        source[VB_FACT_START_TOKEN] = of_experiment;
    }
    facts->start_token = vb_tokenizer_start(tokenizer);
    facts->convention = vb_convention_rows[row].name;
    facts->cleaning = vb_tokenizer_cleaning(tokenizer);
    facts->pad_token = vb_tokenizer_pad(tokenizer);
    /* What every plain CLIP has is not listed. */
    if (kind == VB_TOKENIZER_OPENAI && facts->cleaning == VB_CLEAN_LOWER && stated->start_token == VB_OPTION_NONE)
        source[VB_FACT_CONVENTION] = source[VB_FACT_CLEANING] = source[VB_FACT_START_TOKEN] = source[VB_FACT_PAD_TOKEN] = NULL;
    return 0;
}
