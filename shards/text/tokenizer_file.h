/* Tokenizer files: OpenAI's merges, gzipped or plain, and Hugging Face's vocab.json with merges.txt. */
#ifndef VB_TOKENIZER_FILE_H
#define VB_TOKENIZER_FILE_H

#include <stdbool.h>

#include "kernels/text/tokenizer.h"
#include "shards/files/digest.h"
#include "shards/files/map.h"

/* path: OpenAI's bpe_simple_vocab_16e6.txt.gz (or the unpacked .txt), or Hugging Face's pair: the folder that holds vocab.json
 * and merges.txt, or either file with the other beside it. A merges.txt without vocab.json beside it is read as OpenAI's.
 * mask_token: DeCLIP's <|mask|> before the two special tokens; a vocab.json must list it then.
 * *digest (may be NULL): of the unpacked content and mask_token; equal digests mean equal ids for every text.
 * VB_EMISSING for files that are not there, VB_EDATA with line for broken ones, VB_EMISMATCH for a pair that does not belong
 * together. Bounded: files of more than 64 MiB, packed or unpacked, are refused. Free with vb_tokenizer_close. */
int vb_tokenizer_file_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err);

/* The tables of tokenizers in a cache folder, FOLDER/tokenizers/DIGEST.tables: every process that maps such a file shares its
 * pages with all others of the machine, so a machine holds them once.
 *
 * vb_tokenizer_file_share: replaces a tokenizer that was read by the same over the file, which is written when it is not there
 * (or damaged). vb_tokenizer_file_find: opens it from the file; *tokenizer is NULL when it is not there or damaged.
 * Close the tokenizer before the map; both may be closed after a failure. VB_EOUTPUT when the file cannot be written. */
int vb_tokenizer_file_share(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_error *err);
int vb_tokenizer_file_find(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_error *err);

#endif
