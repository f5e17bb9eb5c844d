/* Tokenizer files: OpenAI's merges, gzipped or plain; Hugging Face's vocab.json with merges.txt; SentencePiece's models;
 * WordPiece vocabularies; tokenizer.json. */
#ifndef VB_TOKENIZER_FILE_H
#define VB_TOKENIZER_FILE_H

#include <stdbool.h>

#include "kernels/base/strings.h"
#include "kernels/text/tokenizer.h"
#include "shards/files/digest.h"
#include "shards/files/map.h"

/* path: OpenAI's bpe_simple_vocab_16e6.txt.gz (or the unpacked .txt); vocab.json or merges.txt with the other beside it (a
 * merges.txt without vocab.json beside it is read as OpenAI's); a SentencePiece model; a vocab.txt; or a folder with one of them
 * (vb_tokenizer_file_in). Formats are told by content or name.
 * mask_token: DeCLIP's <|mask|> before the two special tokens; a vocab.json must list it then.
 * *digest (may be NULL): of the unpacked content and mask_token; equal digests mean equal ids for every text.
 * VB_EMISSING for files that are not there, VB_EDATA with line for broken ones, VB_EMISMATCH for a pair that does not belong
 * together. Bounded: files of more than 256 MiB, packed or unpacked, are refused. Free with vb_tokenizer_close. */
int vb_tokenizer_file_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err);

/* The tokenizer that a folder holds: the path of the first file that is there of vocab.json (with merges.txt beside it),
 * spiece.model, sentencepiece.bpe.model, tokenizer.model, vocab.txt, bpe_simple_vocab_16e6.txt.gz, tokenizer.json. NULL with
 * *err: VB_EMISSING when it has none, VB_EMEMORY. Free with vb_free. */
char *vb_tokenizer_file_in(const char *folder, vb_error *err);
/* Adds the paths of all such files that a folder holds; of a file, itself, whether it is there or not. With each come those that
 * lie beside it and are read with it: vocab.json and merges.txt, and vocab.txt's tokenizer_config.json, which tells its case. */
int vb_tokenizer_file_list(vb_strings *paths, const char *path, vb_error *err);
/* What a file is, for people; NULL when it is no tokenizer that is told by content or name. */
const char *vb_tokenizer_file_what(const char *path);

/* The tables of tokenizers in a cache folder, FOLDER/tokenizers/DIGEST.tables: every process that maps such a file shares its
 * pages with all others of the machine, so a machine holds them once.
 *
 * vb_tokenizer_file_share: replaces a tokenizer that was read by the same over the file, which is written when it is not there
 * (or has other bytes); *tables is the digest of these. vb_tokenizer_file_find: opens it from the file; *tokenizer is NULL when
 * it is not there or its bytes are not those of *tables. Close the tokenizer before the map; both may be closed after a failure.
 * VB_EOUTPUT when the file cannot be written. */
int vb_tokenizer_file_share(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_digest *tables,
                            vb_error *err);
int vb_tokenizer_file_find(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest,
                           const vb_digest *tables, vb_error *err);

#endif
