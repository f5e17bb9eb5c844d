/* The commands in which every call fails once, and what they need beside the inputs of commands.h. Order matters: later ones use
 * what earlier ones have made. */
#ifndef VB_TEST_FAILING_JOBS_H
#define VB_TEST_FAILING_JOBS_H

#include "tests/unit/mpi/commands.h"

enum { JOB_WORDS = 32 };

typedef struct job {
    const char *words[JOB_WORDS]; /* the command line */
    const char *fresh;            /* a folder or file that is removed before; NULL: none */
    const char *kept;             /* what it makes, whose bytes do not depend on clock or place; NULL: nothing */
    bool folder;                  /* which it does not make itself */
    bool once;                    /* what others need: nothing fails in it */
    const char *told;             /* stands in it where it differs, unless memory was wanting: what could not be had */
    bool slow;                    /* one in so many places is enough, unless all are asked for */
    bool all;                     /* not at all, unless all places are asked for */
} job;

/* Sets of right labels, names in another language, a corpus of embeddings with its copy, and CIFAR's records. */
static const char sets[] = "experiment: sets\n"
                           "per_image: true\n"
                           "threads: 1\n"
                           "analyses: [margin, similarity, alignment, uniformity, open_curve, top5, open_set, calibration]\n"
                           "open_curve: {names: nouns.txt, embeddings: nouns.npy, exclude: none}\n"
                           "adversarial: {candidates: nouns.txt, embeddings: nouns.npy, k: 2, exclude: none}\n"
                           "datasets: [{name: d, vocabularies: v.yaml}]\n"
                           "models: [{name: m, family: precomputed, logit_scale: 4, image_embeddings: i.npy, text_embeddings: "
                           "t.npy, labels: sets.json,\n"
                           "          label_names: names.txt}]\n";
static const char lists[] =
    "experiment: lists\n"
    "per_image: true\n"
    "latex: true\n"
    "threads: 1\n"
    "protocol: sampled\n"
    "union_permutations: 5\n"
    "analyses: [margin, top5, open_set, calibration]\n"
    "corpora: [{name: c, embeddings: laid, text_embeddings: laid/text_emb, quantized: laid/codes}]\n"
    "retrieval: {corpus: c, top_k: 3, lambda: [0.5, 0.2], filter: none, deduplicate: true, renormalize: official}\n"
    "datasets: [{name: d, vocabularies: v.yaml}, {name: e, vocabularies: w.yaml, on_unmatched: skip}]\n"
    "expansions: [{name: x, datasets: [d, e], shared_names: different}, {name: y, datasets: [d, e], shared_names: drop}]\n"
    "models:\n"
    "  - name: m\n"
    "    family: precomputed\n"
    "    similarity: dot\n"
    "    logit_scale: 4\n"
    "    embeddings:\n"
    "      - {dataset: d, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy, label_names: names.txt,\n"
    "         text_names: names.txt}\n"
    "      - {dataset: e, image_embeddings: i2.npy, text_embeddings: t.npy, labels: odd.txt}\n";
static const char real[] =
    "experiment: real\n"
    "per_image: true\n"
    "threads: 1\n"
    "on_cut: allow\n"
    "on_equal: allow\n"
    "limit: 1\n"
    "analyses: [top5, prompt_spread]\n"
    "prompt_spread: {synonyms: false, draws: 2}\n"
    "corpora: [{name: c, images: packed}, {name: w, embeddings: wide, quantized: wide/codes}]\n"
    "datasets:\n"
    "  - {name: d, images: pics, vocabularies: v.yaml, labels: real.json, names: names.tsv, language: it,\n"
    "     prompts: [\"una foto di {}\"]}\n"
    "  - {name: f, images: c.bin, vocabularies: v.yaml, class_names: names.txt, prompts: prompts.yaml}\n"
    "models:\n"
    "  - {name: a, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,\n"
    "     retrieval: {corpus: c, top_k: 2, filter: none}}\n"
    "  - {name: b, activation: gelu, weights: m.index.json, tokenizer: tok,\n"
    "     retrieval: {corpus: w, top_k: [2, 3], index_model: a, filter: none, query: \"the {}\", memory: "
    "64MiB}}\n";
static const char site_file[] = "account: physics\nsetup: texts.txt\noption: [--nice=5]\nmerge_option: --mem=1G\n";

/* Slurm, as far as `submit` and `status` ask it. */
static inline void pretend(const char *name, const char *does) {
    char path[64], text[256];
    snprintf(path, sizeof path, "bin/%s", name);
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", does);
    put_text(path, text);
    chmod(path, 0755);
}

/* m.index.json: m.safetensors as the one shard of an index. */
static inline void put_index(void) {
    uint64_t size;
    FILE *file = fopen("m.safetensors", "rb");
    assert_non_null(file);
    assert_int_equal(fread(&size, 1, sizeof size, file), sizeof size);
    char *text = test_calloc(size + 1, 1);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    json_t *header = json_loads(text, 0, NULL), *map = json_object(), *index = json_pack("{s:o}", "weight_map", map), *value;
    const char *name;
    json_object_foreach(header, name, value) {
        if (strcmp(name, "__metadata__")) json_object_set_new(map, name, json_string("m.safetensors"));
    }
    assert_int_equal(json_dump_file(index, "m.index.json", 0), 0);
    json_decref(header);
    json_decref(index);
    test_free(text);
}

static inline void put_job_inputs(void) {
    put_index();
    put_text("sets.yaml", sets);
    put_text("sets.json", "[[0],[1,2],[2],[3],[],[5,4]]");
    put_text("names.txt", "apple\nbear\nchair\ndolphin\nelephant\nforest\n");
    put_text("lists.yaml", lists);
    put_text("w.yaml", "name: w\nvocabularies: {a: [dolphin, bear], b: [apple], c: [lamp, table, tree]}\n");
    put_text("odd.txt", "apple\nbear\nlamp\nDolphin\nelephant\ntable\n");
    put_text("numbers", "0 1 2 3 4 5\n");
    put_text("real.yaml", real);
    put_text("real.json",
             "{\"apple/000.png\": [\"apple\"], \"apple/001.jpg\": [\"bear\", \"apple\"], \"bear/000.jpg\": [\"bear\"], "
             "\"bear/001.png\": [], \"chair/000.png\": [\"chair\"], \"chair/001.jpg\": [\"chair\", \"nothing\"], "
             "\"dolphin/000.jpg\": [\"dolphin\"], \"dolphin/001.png\": [\"forest\"], \"elephant/000.png\": [\"elephant\"], "
             "\"elephant/001.jpg\": [\"elephant\"], \"forest/000.jpg\": [\"forest\"], \"forest/001.png\": [\"forest\"]}");
    put_text("names.tsv", "n00000200\torso\nn00000500\tdelfino\nn00000300\tmela\nn00000400\tsedia\nn00000600\telefante\n"
                          "n00000700\tbosco\nn00000800\tniente\n");
    put_text("prompts.yaml", "name: mine\nprompts: [\"a photo of a {}.\", \"{} there\"]\n");
    put_text("laid/metadata/0.jsonl", "{\"caption\": \"a bear\"}\n{\"caption\": \"an apple\"}\n{\"caption\": \"a chair\"}\n{}\n"
                                      "{\"caption\": \"a dolphin\"}\n{\"caption\": \"a forest\"}\n{\"caption\": \"a bear\"}\n");
    put_text("laid/img_emb/.none", "");
    put_text("laid/text_emb/.none", "");
    put_text("wide/img_emb/.none", "");
    put_text("wide/metadata/0.tsv", "caption\na bear\nan apple\n\"a \"\"chair\"\"\"\n\na dolphin\na forest\na bear\n");
    put_text("scratch/.none", "");
    put_text("site.yaml", site_file);
    put_text("queue", "101 1\n");
    put_text("tried/array/submitted", "101 0\n");
    put_text("tried/array/0/state.json", "{\"schema\": \"vocabench.state/1\", \"only_model\": \"a\", \"only_dataset\": \"d\", "
                                         "\"slurm_job\": \"101\", \"ended\": {\"code\": 0}}");
    put_text("tried/array/0/results.json", "{}");
    pretend("gnuplot", "echo '<svg viewBox=\"0 0 9 9\"><desc>Gnuplot</desc><path/></svg>' >\"${2%.gp}.svg\"");
    pretend("sinfo", "echo 16 2 64000");
    pretend("sbatch", "echo 102");
    pretend("scontrol", "echo 'MaxArraySize = 2'");
    pretend("squeue", "cat queue");
    assert_int_equal(run_command("'%s' numbers y.npy i8 numbers && '%s' cifar c.bin 6 12 && '%s' random laid/img_emb/0.npy 7 8 7 "
                                 "&& '%s' random laid/text_emb/0.npy 7 8 8 && '%s' random wide/img_emb/0.npy 7 32 9",
                                 npy, make_data, npy, npy, npy),
                     0);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/bin:%s", scratch, getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("VOCABENCH_SITE", "site.yaml", 1);
}

#define SUBMIT(file) "submit", file, "--partition", "p", "--nodes", "1", "--time", "10"

static const job jobs[] = {
    {.words = {"pack", "--input", "pics", "--output", "packed"}, .fresh = "packed"},
    {.words = {"encode", "images", "--weights", "m.safetensors", "--activation", "quick_gelu", "--input", "pics", "--output",
               "ei.npy"},
     .kept = "ei.npy"},
    {.words = {"encode", "texts", "--weights", "m.safetensors", "--activation", "quick_gelu", "--tokenizer", "tok", "--input",
               "texts.txt", "--output", "et.npy"},
     .kept = "et.npy"},
    {.words = {"tokenize", "--tokenizer", "tok", "--input", "texts.txt", "--output", "ids.npy"}, .kept = "ids.npy"},
    {.words = {"preprocess", "--resolution", "8", "--input", "pics", "--output", "p.npy"}, .kept = "p.npy"},
    {.words = {"pack", "--quantize", "int8", "--input", "parts", "--output", "codes"}, .fresh = "codes"},
    {.words = {"retrieve", "--queries", "t.npy", "--corpus", "parts", "--top-k", "3", "--output", "list.jsonl", "--ids",
               "ids.npy"},
     .kept = "list.jsonl"},
    {.words = {"retrieve", "--queries", "t.npy", "--corpus", "parts", "--top-k", "3", "--output", "list.jsonl.zst", "--quantized",
               "codes", "--checkpoint", "marks", "--checkpoint-seconds", "0"},
     .kept = "list.jsonl.zst"},
    {.words = {"run", "given.yaml", "--output", "given"}, .fresh = "given", .slow = true, .kept = "given/table.csv"},
    {.words = {"run", "plain.yaml", "--output", "divided", "--set", "similarity_engine=scalapack"},
     .fresh = "divided",
     .slow = true,
     .kept = "divided/table.csv"},
    {.words = {"run", "plain.yaml", "--output", "sampled", "--set", "protocol=sampled"},
     .fresh = "sampled",
     .kept = "sampled/table.csv"},
    {.words = {"run", "encoded.yaml", "--output", "fresh"}, .fresh = "fresh", .slow = true, .kept = "fresh/table.csv"},
    {.words = {"run", "encoded.yaml", "--output", "whole", "--resume"}, .slow = true, .kept = "whole/table.csv"},
    {.words = {"run", "encoded.yaml", "--output", "staged", "--scratch", "scratch", "--set", "only_model=b"},
     .slow = true,
     .fresh = "staged",
     .kept = "staged/table.csv"},
    {.words = {"run", "encoded.yaml", "--output", "part-a", "--only-model", "a", "--cache", "whole/cache"}, .once = true},
    {.words = {"run", "encoded.yaml", "--output", "part-b", "--only-model", "b", "--cache", "whole/cache"}, .once = true},
    {.words = {"merge", "merged", "part-a", "part-b"}, .fresh = "merged", .slow = true, .kept = "merged/table.csv"},
    {.words = {"status", "whole"}},
    {.words = {"compare", "whole", "whole", "--model", "a", "--model", "b", "--dataset", "d", "--json", "c.json", "--allow",
               "prompts", "--permutations", "10"},
     .slow = true,
     .kept = "c.json"},
    {.words = {"verify", "whole", "--units", "1"}, .slow = true},
    {.words = {"report", "divided", "--output", "r.html"}, .slow = true, .kept = "r.html"},
    {.words = {"inspect", "whole"}},
    {.words = {"inspect", "m.safetensors"}},
    {.words = {"inspect", "pics"}},
    {.words = {"inspect", "packed"}},
    {.words = {"inspect", "v.yaml"}},
    {.words = {"inspect", "encoded.yaml"}},
    {.words = {"inspect", "parts/0.npy"}},
    {.words = {"inspect", "c.json"}},
    {.words = {"check", "encoded.yaml", "--junit", "j.xml"}, .slow = true},
    {.words = {"plan", "encoded.yaml"}, .all = true},
    {.words = {"submit", "encoded.yaml", "--dry-run", "--no-plan", "--partition", "p", "--nodes", "1", "--time", "10"}},
    {.words = {SUBMIT("encoded.yaml"), "--no-plan", "--array", "--by", "pair", "--at-once", "4", "--option=--qos=q",
               "--run-option=--exclusive", "--output", "array", "--set", "trials=2", "--batch", "4"},
     .fresh = "array"},
    {.words = {SUBMIT("encoded.yaml"), "--no-plan", "--array", "--by", "pair", "--retry-failed", "--output", "tried"}},
    {.words = {SUBMIT("encoded.yaml"),
               "--no-plan",
               "--dry-run",
               "--container",
               "docker://debian",
               "--container-option=--nv",
               "--container-program",
               "/opt/v",
               "--gpus-per-node",
               "1",
               "--gpu-type",
               "a100",
               "--gpu-request",
               "gres",
               "--cpus-per-task",
               "2",
               "--launcher",
               "mpirun",
               "--scratch",
               "scratch"}},
    {.words = {SUBMIT("plain.yaml"), "--no-plan", "--array", "--container", "bundle", "--container-through", "slurm",
               "--dry-run"}},
    {.words = {SUBMIT("plain.yaml"), "--output", "job"}, .fresh = "job"},
    {.words = {"status", "tried"}},
    {.words = {"candidates", "wordnet", "--wordnet", "wordnet", "--output", "c.txt"}, .kept = "c.txt"},
    {.words = {"init", "pics", "m.safetensors", "--tokenizer", "tok", "--output", "new/e.yaml"},
     .fresh = "new",
     .folder = true,
     .slow = true,
     .kept = "new/e.yaml"},
    {.words = {"version"}},
    {.words = {"help"}},
    {.words = {"help", "run"}},
    {.words = {"help", "--format", "man"}},
    {.words = {"help", "--format", "bash"}},
    {.words = {"help", "--format", "zsh"}},
    {.words = {"pack", "--quantize", "int8", "--similarity", "cosine", "--input", "laid", "--output", "laid/codes"},
     .fresh = "laid/codes"},
    {.words = {"pack", "--quantize", "int8", "--similarity", "cosine", "--input", "wide", "--output", "wide/codes"},
     .fresh = "wide/codes",
     .once = true},
    {.words = {"pack", "--input", "c.bin", "--class-names", "names.txt", "--output", "small"}, .fresh = "small"},
    {.words = {"run", "sets.yaml", "--output", "sets"}, .fresh = "sets", .slow = true, .kept = "sets/table.csv"},
    {.words = {"run", "lists.yaml", "--output", "lists"}, .fresh = "lists", .slow = true, .kept = "lists/table.csv"},
    {.words = {"run", "real.yaml", "--output", "real"}, .fresh = "real", .slow = true, .kept = "real/table.csv"},
    {.words = {"check", "lists.yaml"}, .slow = true},
    {.words = {"check", "real.yaml", "--sums", "--set", "models.a.precision=fastest"}, .all = true},
    {.words = {"plan", "lists.yaml"}, .slow = true},
    {.words = {"merge", "partial", "part-a", "--partial", "--latex"}, .fresh = "partial", .slow = true},
    {.words = {"verify", "sets", "--junit", "k.xml"}, .slow = true},
    {.words = {"verify", "lists", "--whole"}, .all = true},
    {.words = {"verify", "merged", "--units", "1"}, .all = true},
    {.words = {"compare", "given", "given", "--pairs", "--permutations", "10", "--json", "pairs.json"},
     .slow = true,
     .kept = "pairs.json"},
    {.words = {"report", "whole", "given", "--output", "r.tex"}, .slow = true, .kept = "r.tex"},
    {.words = {"report", "lists", "sets", "--output", "r.md"}, .slow = true, .kept = "r.md"},
    {.words = {"report", "whole", "--output", "whole.html"}, .all = true, .told = "Pictures of", .kept = "whole.html"},
    {.words = {"inspect", "c.bin"}},
    {.words = {"inspect", "pairs.json"}},
    {.words = {"inspect", "tok/vocab.json"}},
    {.words = {"inspect", "given/records/one--d.jsonl.zst"}},
    {.words = {"inspect", "whole/results.json"}},
    {.words = {"inspect", "prompts.yaml"}},
    {.words = {"inspect", "whole.html"}},
    {.words = {"encode", "images", "--weights", "m.safetensors", "--activation", "quick_gelu", "--precision", "bf16x3", "--raw",
               "--input", "c.bin", "--output", "raw.npy"},
     .all = true,
     .kept = "raw.npy"},
    {.words = {"retrieve", "--queries", "t.npy", "--corpus", "laid/img_emb", "--top-k", "3", "--similarity", "cosine",
               "--threads", "2", "--output", "cosine.jsonl"},
     .kept = "cosine.jsonl"},
    {.words = {"candidates", "wordnet", "--wordnet", "wordnet", "--output", "s.txt", "--single-words", "--heads", "--min-depth",
               "1"},
     .kept = "s.txt"},
    {.words = {"tokenize", "--tokenizer", "tok", "--input", "texts.txt", "--output", "short.npy", "--context-length", "4"},
     .kept = "short.npy"},
    {.words = {"preprocess", "--resolution", "8", "--rgb-first", "--input", "c.bin", "--output", "q.npy"}, .kept = "q.npy"},
    {.words = {"init", "c.bin", "m.safetensors", "--tokenizer", "tok", "--class-names", "names.txt", "--output", "other/e.yaml"},
     .fresh = "other",
     .folder = true,
     .all = true,
     .kept = "other/e.yaml"},
};

#endif
