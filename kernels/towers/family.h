/* Model families: what each fixes and the tensors cannot tell, and who writes its towers' programs.
 *
 * A new family is its name in VB_FAMILIES and a file family_*.c with its row, vb_family_NAME, and what its towers have that the
 * emitters here (vit.h, resnet.h, text_tower.h) lack. All lists of names, choices and messages follow from VB_FAMILIES. */
#ifndef VB_FAMILY_H
#define VB_FAMILY_H

#include "kernels/towers/binder.h"
#include "kernels/towers/tower_kinds.h"
#include "kernels/towers/transformer.h"

/* Every family's name, as configurations have it. The order is that of choices and messages. */
#define VB_FAMILIES(each)                                                                                                        \
    each(clip) each(slip) each(declip) each(siglip) each(naflex) each(pe) each(eva) VB_FAMILIES_OF_CONVOLUTIONS(each)            \
        VB_FAMILIES_OF_OPEN_CLIP(each) VB_FAMILIES_OF_BERT(each)
#define VB_FAMILIES_OF_CONVOLUTIONS(each) each(convnext) each(mobileclip_b) each(mobileclip_s) each(vitamin)
#define VB_FAMILIES_OF_OPEN_CLIP(each) each(clipa) each(openvision) each(mobileclip_l) each(coca)
#define VB_FAMILIES_OF_BERT(each) each(roberta) each(altclip) each(chinese_clip) each(align) each(nllb) each(nllb_siglip)

#define VB_FAMILY_ONE(name) +1
#define VB_FAMILY_WORD(name) #name,
#define VB_FAMILY_CHOICE(name) "|" #name
enum { VB_FAMILY_COUNT = VB_FAMILIES(VB_FAMILY_ONE) };
/* "clip|slip|...", for tables of flags. */
#define VB_FAMILY_CHOICES (("" VB_FAMILIES(VB_FAMILY_CHOICE)) + 1)

/* Preprocessing as the family was published, where it is not OpenAI's. */
typedef struct vb_family_pixels {
    float mean[3], std[3];
    bool squash, bilinear;
    int resize_to; /* before a centre crop to the side; 0: no more than that */
} vb_family_pixels;

/* All sizes inferred from the tensors, as OpenAI's build_model infers them. Zero where a tower is absent. */
typedef struct vb_clip_info {
    const char *tower; /* of images: "ViT", "ModifiedResNet"; NULL: none */
    int max_patches,
        positions; /* of images of any shape: patches of one, at most; rows of the table. 0: squares of `resolution` */
    int resolution, patch, image_width, image_layers[5], image_heads; /* more than one number of layers: of stages */
    int embed_dim;
    int context_length, vocabulary_size, text_width, text_layers, text_heads;
    vb_text_mask text_mask; /* causal or none */
    vb_text_pooling text_pooling;
    int end_token;                     /* where texts end, and are pooled; VB_NO_END_TOKEN: they are pooled elsewhere */
    float image_epsilon, text_epsilon; /* of LayerNorm */
    bool image_gated;                  /* the image tower's activation is its gates' SiLU, whatever is stated */
    const vb_family_pixels *pixels;    /* as such models were published; NULL: as the family's row has it */
    bool long_positions;               /* Long-CLIP: the rows from 20 on are of a table of their own */
    int64_t parameters;                /* of both towers, logit_scale included; running statistics are none */
    float logit_scale;                 /* exp of the stored value; 0 when absent */
    float logit_bias;                  /* 0 when absent */
} vb_clip_info;

/* What is known of a tower from elsewhere: the files beside the weights, the user. Zeros: as the family has it. */
typedef struct vb_tower_facts {
    bool activation_known;
    vb_activation activation; /* ResNets keep their ReLU */
    int heads;                /* the tensors cannot tell */
    float epsilon;            /* of LayerNorm */
} vb_tower_facts;

typedef struct vb_tower_options {
    vb_tower_facts image, text;
    int resolution;         /* of images; less than a patch above grid x patch, and those pixels are not read; 0: grid x patch */
    int max_patches;        /* of images of any shape; 0: as the family has it */
    int end_token;          /* a text is pooled where this id comes first; 0: at its highest id, the vocabulary's last */
    vb_text_mask text_mask; /* these two: _UNSET as the family has it */
    vb_text_pooling text_pooling;
    int context; /* tokens of texts, where positions have more rows; 0: as the family has it */
} vb_tower_options;

/* Tensors under canonical names that only the family's models have, and lack. Ends with NULLs. "NAME[32]": with 32 rows;
 * "NAME(2)": of two dimensions. */
typedef struct vb_family_sign {
    const char *has[4], *lacks[4];
} vb_family_sign;

/* Heads are 64 wide but for towers of these widths; a head_width of 0: they must be stated. Ends with a width of 0. */
typedef struct vb_head_width {
    int width, head_width;
} vb_head_width;

typedef struct vb_family vb_family;

/* Writes the binder's program from the tensors and fills in the sizes of its tower; *embed: columns of the result. */
typedef int vb_family_emitter(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                              int *embed);

/* Sets what the blocks of a ViT with `grid` x `grid` patches have that CLIP's lack; width, heads, activation and epsilon are set
 * already. 0 or -1. */
typedef int vb_family_blocks(vb_binder *binder, int grid, vb_clip_info *info, vb_transformer_facts *facts);

struct vb_family {
    const char *name;              /* as configurations have it */
    const char *published;         /* examples of published models, by the names that their publishers give them */
    const char *tested;            /* with what its embeddings are compared */
    int cache_key;                 /* stands in the keys of cached embeddings: never changes, never used again */
    bool mask_token;               /* its vocabulary has a mask token before the start token */
    bool fixed_heads;              /* its image towers have no attention, or heads of one width */
    int resolution;                /* of its images, where the tensors do not tell; 0: they do */
    int max_patches;               /* its images have any shape, and so many patches where nothing tells; 0: they are squares */
    bool resolution_varies;        /* it was published with other sides too: see vb_family_needs_side */
    const char *activation_guess;  /* published with several under the same names: it must be known; of those the commonest */
    const char *activation_naming; /* under these names (vb_weights.naming) it does not vary, and is as below; NULL: under none */
    const char *activation_hint;   /* what to state otherwise, and of which models */
    int quick_gelu_vocabulary;     /* its models of so many tokens have image towers of QuickGELU; 0: none has */
    vb_activation image_activation, text_activation;
    float image_epsilon, text_epsilon; /* of LayerNorm */
    bool resnets;                      /* the image tower may be a ModifiedResNet */
    bool patch_bias, ln_pre;           /* ViTs of the family hold visual.conv1.bias, visual.ln_pre.* */
    bool no_class_row;                 /* ViTs of the family lack visual.class_embedding */
    bool class_row_varies;             /* some have it and some lack it */
    vb_family_blocks *blocks;          /* NULL: CLIP's */
    vb_image_pooling image_pooling;
    vb_image_projection image_projection;
    int pool_heads;                   /* of the learned query; 0: those of the blocks */
    bool text_projection_bias;        /* its text towers hold text_projection.bias */
    bool text_unprojected_too;        /* some have no text_projection at all: the embedding is the pooled row */
    bool text_mixers;                 /* some have blocks of convolutions along texts around the transformer (MobileCLIP-S0) */
    bool text_class_row;              /* its text towers hold cls_emb, the row that is pooled, and hide padding (CoCa) */
    vb_text_mask text_mask;           /* VB_MASK_UNSET: causal */
    vb_text_pooling text_pooling;     /* VB_POOLING_UNSET: VB_POOLING_END */
    int context;                      /* tokens of its texts, where positions have more rows; 0: all rows are used */
    const vb_family_pixels *pixels;   /* NULL: OpenAI's */
    const vb_family_sign *signs;      /* each alone tells the family, under names that several have; ends with an empty one */
    const vb_head_width *head_widths; /* of its ViTs; NULL: all are 64 */
    const vb_head_width *text_head_widths; /* of its text towers, likewise */
    vb_family_emitter *image, *text;
    const char *conventions; /* of its tokenizers, NULL: OpenAI's; vb_family_conventions gives them */
};

/* Every family's row. */
#define VB_FAMILY_ROW(name) extern const vb_family vb_family_##name;
VB_FAMILIES(VB_FAMILY_ROW)

/* The families in the order of VB_FAMILIES; index < VB_FAMILY_COUNT. */
const vb_family *vb_family_at(int index);
/* The index of a name; -1 when unknown. */
int vb_family_index(const char *name);
const vb_family *vb_family_find(const char *name); /* NULL when unknown */
/* "clip, slip, declip", with another `last` separator between the last two. Returns text. */
const char *vb_family_names(char *text, size_t size, const char *last);
/* The conventions of its tokenizers: names of kernels/text/convention.h with blanks between them; the first that goes with a
 * tokenizer is meant. */
const char *vb_family_conventions(const vb_family *family);
/* The words of vb_text_mask and vb_text_pooling, "" of what is unset, then NULL. */
extern const char *const vb_family_text_masks[], *const vb_family_text_poolings[];
/* What is stated of a tower, and the family's activation and epsilon where that is not. */
vb_tower_facts vb_family_image_facts(const vb_family *family, const vb_tower_options *options);
vb_tower_facts vb_family_text_facts(const vb_family *family, const vb_tower_options *options);
/* Heads of a transformer of that width by such a table (NULL: 64 wide); 0 when the width does not tell. */
int vb_family_heads(const vb_head_width *table, int width);
/* Whether the side of the images must be known from elsewhere: no table of positions tells it, and the family has several. */
bool vb_family_needs_side(const vb_family *family, const vb_tensor_set *weights);
/* The family that a sign tells, or NULL. */
const vb_family *vb_family_by_signs(const vb_tensor_set *weights);
/* Whether the weights may be of a family with signs: one fits but for numbers of rows, or they are a text tower alone, which has
 * none of its own. */
bool vb_family_fits(const vb_family *family, const vb_tensor_set *weights);
/* A family that has and lacks what these tensors have and lack, or NULL: a hint for messages. */
const vb_family *vb_family_guess(const vb_tensor_set *weights);

#endif
