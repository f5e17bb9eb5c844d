#!/usr/bin/env python3
"""Planted defects: each is put into a copy of the tree, which is built, and the named test must fail: mutations.py [--only N]

A test suite is worth what it catches. Each row is one small fault as people make them: a status that is swallowed, a rename before
fsync, a rank that leaves early, a length that is off by one, a wrong rule for ties, two lanes mixed up. The copy is tested without
the defect first. A row whose text is no longer in its file is a failure, too: the row moves with the code. The last line counts."""
import argparse, os, shutil, subprocess, sys, tempfile, time

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# (what, file, text, text with the defect, the test that notices)
ROWS = [
    ("a failed write is swallowed", "shards/files/writer.c",
     'if (n < 0) return vb_errorf(err, VB_EOUTPUT, "%s: cannot write: %s", writer->path, strerror(errno));',
     "if (n < 0) { (void)err; break; }", "unit/shards/test_writer"),
    ("a failed collective call is swallowed", "mpi/ranks/comm.c",
     "    if (err) err->rank = comm->world_rank;\n    return -1;", "    (void)comm;\n    return 0;", "mpi/test_faults"),
    ("the final name is given before the content is on the disk", "shards/files/writer.c",
     "if (flush(writer, err) || sync_descriptor(writer->fd, writer->path, err)) return -1;",
     "if (flush(writer, err)) return -1;", "unit/shards/test_writer"),
    ("a short write counts as a whole one", "shards/files/writer.c", "done += (size_t)n;", "done = writer->filled;",
     "unit/shards/test_writer"),
    ("a rank leaves before the others have agreed", "mpi/ranks/comm.c",
     '    if (vb_comm_agree(comm, status, err)) return -1;\n    snprintf(first, sizeof first, "%s", seen);',
     '    if (status) return -1;\n    snprintf(first, sizeof first, "%s", seen);', "mpi/test_agreement"),
    ("the alarm reaches only the ranks above", "mpi/ranks/comm.c", "if (r == comm->rank) continue;\n        MPI_Isend(",
     "if (r <= comm->rank) continue;\n        MPI_Isend(", "mpi/test_faults"),
    ("a tensor may end one byte behind the file", "shards/weights/safetensors.c", "if (e->end > size)", "if (e->end > size + 1)",
     "unit/shards/test_safetensors"),
    ("the header may be one byte too long", "shards/weights/safetensors.c", "length > map->size - PREFIX)",
     "length > map->size - PREFIX + 1)", "unit/shards/test_safetensors"),
    ("ties go to the later row", "kernels/exact/hit.c", "a->id < b->id", "a->id > b->id", "unit/kernels/test_topk"),
    ("two lanes are mixed up in the AVX2 transpose", "kernels/matrix/transpose_avx2.h",
     "u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);", "u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x11);",
     "unit/kernels/test_gemm"),
    ("a damaged unit of the cache is taken", "shards/embeddings/cache.c",
     "*found = npy.note_size == strlen(note) && !memcmp(npy.note, note, npy.note_size);", "*found = npy.note_size == strlen(note);",
     "unit/shards/test_cache"),
    ("a living owner's lock is taken over", "mpi/base/output_lock.c", "return gone ? OWNER_GONE : OWNER_ALIVE;",
     "return gone || pid ? OWNER_GONE : OWNER_ALIVE;", "mpi/test_lock"),
    ("weights that are rewritten in place go unnoticed", "shards/files/identity.c",
     "bool content = now.mtime_ns != identity->mtime_ns;", "bool content = false; return 0;", "mpi/test_changed_inputs"),
    ("Acc-S divides by one vocabulary too many", "kernels/openness/openness.c", "(double)(m - b) / ((double)m * (b + 1))",
     "(double)(m - b) / ((double)(m + 1) * (b + 1))", "unit/kernels/test_openness"),
    ("a standard error with n for n - 1", "kernels/openness/paired.c", "squares / (double)(n - 1) / (double)n",
     "squares / (double)n / (double)n", "unit/kernels/test_paired"),
    ("McNemar's test has one side", "kernels/openness/paired.c", "double p = 2 * coin_probability(n, k) * sum;",
     "double p = coin_probability(n, k) * sum;", "unit/kernels/test_paired"),
    ("the open curve draws with replacement", "kernels/openness/names_curve.c",
     "w[i] *= (double)(pool - counts->h[i] - n) / (double)(pool - n);", "w[i] *= (double)(pool - counts->h[i]) / (double)pool;",
     "unit/kernels/test_names_curve"),
    ("a bound is rounded inwards", "kernels/exact/round_outward.h", "(double)rounded < value ? nextafterf(rounded, INFINITY) : rounded",
     "rounded", "unit/kernels/test_round_outward"),
    ("resizing ends half a pixel too early", "kernels/image/resize.c", "high = center + support + 0.5;",
     "high = center + support;", "unit/kernels/test_preprocess"),
    ("the centre crop rounds halves up", "kernels/image/preprocess.c", "return length / 2 + (length % 4 == 3);",
     "return length / 2 + length % 2;", "unit/kernels/test_preprocess"),
    ("overlong UTF-8 is a character", "kernels/base/utf8.c", "low = lead == 0xe0 ? 0xa0 :", "low = lead == 0xe0 ? 0x80 :",
     "unit/kernels/test_utf8"),
    ("a tar header's checksum is not looked at", "shards/files/tar.c",
     'if (!vb_tar_is_header(block)) return tar_fails(tar, at, "no tar header (wrong checksum)", err);', "", "unit/shards/test_tar"),
    ("two lanes are mixed up in a device's attention", "kernels/gpu/gpu_attention.cl", "fma(v.y, k.y, fma(v.x, k.x, sums[r]))))",
     "fma(v.y, k.x, fma(v.x, k.y, sums[r]))))", "unit/kernels/test_gpu_engine"),
    ("a batch of pictures comes back in another order", "mpi/encode/pipeline.c", "b->out + (size_t)i * dim, dim * sizeof",
     "b->out + (size_t)(n - 1 - i) * dim, dim * sizeof", "unit/mpi/test_pipeline"),
    ("texts share a row less than they have in common", "kernels/towers/text_order.c", "return at;\n", "return at ? at - 1 : 0;\n",
     "unit/kernels/test_text_order"),
    ("texts share a row more than they have in common", "kernels/towers/text_order.c", "return at;\n", "return at + 1;\n",
     "unit/kernels/test_text_order"),
    ("a filter's transform has the wrong sign at a point", "kernels/matrix/winograd_lanes.h",
     "u[4] = times(32.0f / 243, plus(far, -3.0f / 2, g[1]));", "u[4] = times(32.0f / 243, plus(far, 3.0f / 2, g[1]));",
     "unit/kernels/test_winograd"),
    ("rounded quotients decide between cosines", "kernels/exact/hit.c", "double margin = 0x1p-50 *", "double margin = 0 *",
     "unit/kernels/test_topk"),
    ("masses of different largest scores are added as they are", "kernels/openness/confidence.c",
     "if (b.sum > 0) a.sum += b.sum * vb_dots_exponential_sum(1, &b.top, a.top, scale);",
     "if (b.sum > 0) a.sum += b.sum + 0 * scale;", "unit/kernels/test_confidence"),
    ("an image's own vocabularies stand for those that harm it", "kernels/openness/tally.c",
     "const uint32_t sets[] = {(uint32_t)beaten_set, (uint32_t)(beaten_set | own_set)};",
     "const uint32_t sets[] = {(uint32_t)own_set, (uint32_t)(beaten_set | own_set)};", "unit/kernels/test_union_errors"),
    ("degrees of freedom count an image too many a class", "kernels/openness/spread.c",
     "        if (cell->images > 1) its.images_df += cell->images - 1;",
     "        if (cell->images > 1) its.images_df += cell->images;", "unit/kernels/test_spread"),
    ("two halves of a group are mixed up in the plain screen of codes", "kernels/search/coded_scalar.c",
     "pass[q] |= (uint16_t)(1u << i)", "pass[q] |= (uint16_t)(1u << (i ^ 8))", "unit/kernels/test_coder"),
    ("the AVX2 resampling leaves out the last byte of a row", "kernels/image/resize_avx2.c", "for (; at < bytes; at++)",
     "for (; at + 1 < bytes; at++)", "unit/kernels/test_preprocess"),
    ("weights of a filter are half a pixel off", "kernels/image/resize.c", "double center = (begin + i + 0.5) * scale, total",
     "double center = (begin + i) * scale + 0.5, total", "unit/kernels/test_preprocess"),
    ("a text that is cut loses its end token", "kernels/text/tokenizer.c", "if (ends) ids[count++] = t->end;",
     "if (ends && count + 1 < context_length) ids[count++] = t->end;", "unit/kernels/test_tokenizer"),
    ("a word of 100 characters is unknown", "kernels/text/wordpiece.c", "characters <= t->word_limit &&",
     "characters < t->word_limit &&", "unit/shards/test_huggingface"),
    ("SigLIP's texts have the other GELU", "kernels/towers/family_siglip.c", "    .text_activation = VB_GELU_TANH,",
     "    .text_activation = VB_GELU,", "unit/mpi/test_zoo"),
    ("a device ranks what is no number first", "kernels/gpu/gpu_best.cl", "return x != x ? 0u :", "return ",
     "unit/kernels/test_gpu_scores"),
    ("a zip entry may end one byte behind its directory", "shards/files/zip.c",
     "if (name_size + extra_size + comment > left - CENTRAL_SIZE)",
     "if (name_size + extra_size + comment > left - CENTRAL_SIZE + 1)", "unit/shards/test_weights"),
    ("a header of .npy may be one byte too long", "shards/embeddings/npy.c", "if (length > size - start)",
     "if (length > size - start + 1)", "unit/shards/test_npy"),
    ("a tenth byte of a number has more than its highest bit", "shards/files/protobuf.c", "if (shift == 63 && byte > 1) break;",
     "if (shift == 63 && byte > 127) break;", "unit/shards/test_tokenizers"),
    ("a sample may begin before its shard", "shards/datasets/dataset_index.c",
     "if (dataset->place[i].before > dataset->place[i].offset) return false;", "(void)i;", "unit/shards/test_dataset"),
    ("a lock is replaced whatever it says by now", "shards/files/lock.c", "held.st_ino == there.st_ino && says(path, expected)",
     "held.st_ino == there.st_ino && (says(path, expected) || true)", "unit/shards/test_writer"),
    ("the folder of a new name is not synced", "shards/files/writer.c",
     "status = sync_folder_of(writer->path, err);\n        vb_free(writer->temporary); /*", "vb_free(writer->temporary); /*",
     "unit/shards/test_writer"),
    ("the descriptor of each image stays open", "shards/datasets/dataset_folder.c",
     "        data->samples[i].size = (size_t)file.size;\n        vb_file_close(&file);",
     "        data->samples[i].size = (size_t)file.size;\n        if (status) vb_file_close(&file);", "unit/shards/test_dataset"),
    ("places wrap around at 4 GiB", "shards/datasets/dataset_cifar.c",
     "uint64_t begin = (uint64_t)(range.first - file->first) * record;",
     "uint64_t begin = (uint32_t)((uint32_t)(range.first - file->first) * record);", "unit/shards/test_dataset_cifar"),
    ("a pair's key forgets whether broken images are skipped", "mpi/run/resume.c",
     "    vb_digest_add(digester, &data->spec->on_error, sizeof data->spec->on_error);\n", "", "mpi/test_resume"),
    ("a pair's key forgets the file of names by id", "mpi/run/resume.c", "    add_file(digester, data->spec->names);\n", "",
     "mpi/test_resume"),
    ("a unit's key forgets which of its images are encoded", "mpi/encode/encoded_unit.c",
     "    vb_digest_add(digester, picked, (size_t)n * sizeof *picked);\n", "    (void)picked, (void)n;\n", "mpi/test_resume"),
    ("percents are cut off instead of rounded", "mpi/figures/grid.c",
     'else if (isfinite(error)) vb_grid_cell(grid, "%.2f ± %.2f", 100 * value, 100 * error);',
     'else if (isfinite(error)) vb_grid_cell(grid, "%.2f ± %.2f", trunc(10000 * value) / 100, 100 * error);',
     "unit/mpi/test_grid"),
    ("two lanes are mixed up in the AVX-512 transpose", "kernels/matrix/transpose_avx512.h",
     "t[4 + c] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);", "t[4 + c] = _mm512_shuffle_i32x4(odd0, odd1, 0xdd);", "cli/test_avx512"),
    ("a scan's key forgets which files its parts were", "shards/embeddings/corpus.c",
     "        vb_digest_add(digester, &part->identity, sizeof part->identity);\n", "", "unit/shards/test_corpus"),
    ("a unit's signature forgets its samples' files", "shards/datasets/dataset.c",
     "status = image ? sign_file(digester, image, err) : -1;", "status = image ? 0 : -1;", "unit/shards/test_dataset"),
    ("a pair's key forgets its corpus' files", "mpi/run/resume.c",
     "    for (size_t i = 0; i < files.count; i++) add_file(digester, files.items[i]);\n    vb_strings_free(&files);\n    return status;",
     "    (void)digester;\n    vb_strings_free(&files);\n    return status;", "mpi/test_resume"),
    ("a pair's key forgets the weights of its index model", "mpi/run/resume.c",
     "        status = add_weights(digester, other, err);\n", "", "mpi/test_resume"),
    ("rows of a device's piece that failed are taken for its", "kernels/gpu/gpu_engine.c",
     "if (status && pending[i].from == *first && !end_piece", "if (status && !end_piece", "unit/kernels/test_gpu_engine"),
    ("the check of a device takes every text by itself", "kernels/gpu/gpu_check.c", "if (vb_program_is_causal(piece->program)) {",
     "if (!piece->program) {", "unit/kernels/test_gpu_check"),
    ("a temporary file is old by the clock of whoever sweeps", "shards/files/writer.c", "in->now = own.st_mtime;", "in->now = time(NULL);",
     "mpi/test_clocks"),
    ("a start has taken the difference of two times of day", "mpi/run/starts.c", 'return json_object_get(ended, "seconds") ?',
     'return json_object_get(ended, "second") ?', "mpi/test_clocks"),
]


def table():
    """TESTING.md's; 1 when a text is not in its file, or more than once."""
    lost = 0
    for number, (what, file, text, _, test) in enumerate(ROWS, 1):
        print(f"| {number} | {what} | `{file}` | `tests/{test}` |")
        times = open(os.path.join(root, file)).read().count(text)
        if times != 1:
            lost = 1
            print(f"{number}. {what}: {file} has the text {times} times", file=sys.stderr)
    return lost


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **more)


def build(copy, test):
    target = [f"build/tests/{test}"] if test.startswith("unit/") else ["emulated"] if test == "cli/test_avx512" else []
    return run(["make", "-j2", "all", "tools"] + target, cwd=copy)


def passes(copy, test):
    """Whether the test passes, and its first complaint."""
    command = f"build/tests/{test}" if test.startswith("unit/") else f"tests/{test}.sh"
    try:
        done = run([command], cwd=copy, timeout=600, env=dict(os.environ, VOCABENCH_BUILD=os.path.join(copy, "build")),
                   stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False, "does not end"
    complaints = [line for line in done.stdout.split("\n") if line.startswith("not ok") and "# SKIP" not in line]
    return done.returncode == 0 and not complaints, complaints[0] if complaints else f"code {done.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", type=int, action="append", help="the number of a row, from 1; may be given several times")
    parser.add_argument("--table", action="store_true", help="print the table of TESTING.md, and look whether all texts are there")
    asked = parser.parse_args()
    if asked.table:
        sys.exit(table())
    for name, value in (("CMOCKA_MESSAGE_OUTPUT", "TAP"), ("OMP_WAIT_POLICY", "passive"), ("OMPI_MCA_mpi_yield_when_idle", "1"),
                        ("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("OMPI_MCA_hwloc_base_binding_policy", "none"),
                        ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("LC_ALL", "C.UTF-8"),
                        ("VOCABENCH_SHARED", os.path.join(root, "..", "shared"))):
        os.environ.setdefault(name, value)
    base = tempfile.mkdtemp(prefix="vocabench-mutations.")
    copy = os.path.join(base, "vocabench")
    for name in run(["git", "ls-files", "-z"], cwd=root).stdout.split("\0"):
        if name:
            os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
            shutil.copy2(os.path.join(root, name), os.path.join(copy, name))
    rows = [(number, row) for number, row in enumerate(ROWS, 1) if not asked.only or number in asked.only]
    missed = 0
    for test in sorted({row[4] for _, row in rows}):
        made = build(copy, test)
        if made.returncode:
            sys.exit(made.stderr[-2000:])
        good, why = passes(copy, test)
        if not good:
            missed += 1
            print(f"{test} fails without a defect: {why}", flush=True)
    for number, (what, file, text, defect, test) in rows:
        path = os.path.join(copy, file)
        whole = open(path).read()
        if whole.count(text) != 1:
            missed += 1
            print(f"{number}. {what}: {file} has the text {whole.count(text)} times", flush=True)
            continue
        open(path, "w").write(whole.replace(text, defect))
        made = build(copy, test)
        if made.returncode:
            found, why = False, "does not build: " + made.stderr[-500:]
        else:
            good, why = passes(copy, test)
            found = not good
        print(f"{number}. {what} ({file}): " + (f"caught by {test}: {why}" if found else f"NOT caught by {test}: {why}"), flush=True)
        missed += not found
        open(path, "w").write(whole)
        now = time.time() + number  # newer than what was built with the defect
        os.utime(path, (now, now))
    shutil.rmtree(base, ignore_errors=True)
    print(f"{len(rows)} planted defects, {missed} not caught")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
