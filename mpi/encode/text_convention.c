/* Choosing a row of kernels/text/convention.h, and what differs from it. */
#include "mpi/encode/text_convention.h"

#include <string.h>

#include "mpi/experiment/options.h"

static const char of_experiment[] = "experiment", of_family[] = "family";

/* The family's first convention that goes with the tokenizer; where it is told at which token texts are pooled, the first whose
 * texts end with that. */
static int choose_row(vb_tokenizer *tokenizer, const vb_facts *facts, const vb_family *family, const char *path, vb_error *err) {
    const vb_tokenizer_kind kind = vb_tokenizer_kind_of(tokenizer);
    const char *names = vb_family_conventions(family);
    const int first = vb_convention_choose(names, -1, kind), end = facts->towers.end_token;
    if (first < 0)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s: a tokenizer of the kind %s, but texts of the family %s are cut by the convention %s: state "
                         "convention if this model's texts are others",
                         path, vb_tokenizer_kind_name(kind), family->name, names);
    if (vb_tokenizer_use(tokenizer, &vb_convention_rows[first], path, err)) return -1;
    const int ends = vb_tokenizer_end(tokenizer);
    vb_error none = {0};
    for (int row = first; row >= 0; row = vb_convention_choose(names, row, kind))
        if (!end || (!vb_tokenizer_use(tokenizer, &vb_convention_rows[row], path, &none) && vb_tokenizer_end(tokenizer) == end))
            return row;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: texts of this model are pooled at token %d (%s), but end with %d by the convention %s: another model's "
                     "tokenizer? Else state convention",
                     path, end, facts->source[VB_FACT_END_TOKEN], ends, vb_convention_rows[first].name);
}

/* The language that open_clip's tokenizer is set to, where it begins texts. 1: it was set; 0: it is the convention's, or nothing
 * is. */
static int use_language(vb_tokenizer *tokenizer, const vb_side_facts *side, const char *path, vb_error *err) {
    const vb_convention *convention = vb_tokenizer_convention(tokenizer);
    const char *language = side->language, *usual = convention->start;
    if (strcmp(convention->name, "nllb")) return 0;
    if (strlen(language) == strcspn(usual, " ") && !strncmp(usual, language, strlen(language))) return 0;
    const int id = vb_tokenizer_find(tokenizer, language, strlen(language));
    if (id < 0)
        return vb_errorf(err, VB_EMISMATCH, "%s: no token %s, the language of texts by %s: state start_token, its number", path,
                         language, side->towers_from);
    vb_tokenizer_start_with(tokenizer, id);
    return 1;
}

int vb_text_convention_use(vb_tokenizer *tokenizer, vb_facts *facts, const vb_stated_facts *stated, const vb_family *family,
                           const char *path, vb_error *err) {
    const vb_side_facts *side = &facts->side;
    const vb_tokenizer_kind kind = vb_tokenizer_kind_of(tokenizer);
    const int row = stated->convention >= 0 ? stated->convention : choose_row(tokenizer, facts, family, path, err);
    if (row < 0 || vb_tokenizer_use(tokenizer, &vb_convention_rows[row], path, err)) return -1;
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
    } else if (stated->convention < 0 && side->towers_from && *side->language) {
        const int set = use_language(tokenizer, side, path, err);
        if (set < 0) return -1;
        if (set) source[VB_FACT_START_TOKEN] = side->towers_from;
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
