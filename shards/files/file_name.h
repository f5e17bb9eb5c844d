/* File names made of names that people give: different names, different files; nothing in them that shells, terminals or file
 * systems take for more than a letter. */
#ifndef VB_FILE_NAME_H
#define VB_FILE_NAME_H

#include "kernels/base/error.h"

/* "FIRST--SECOND": letters, digits, . _ - @ + = , and the printable characters of other scripts stand for themselves, every other
 * byte is %XX; a hyphen of `first` is, too, where it begins, ends or stands before another one, and a dot where it begins. So no
 * two pairs give one name. Of at most VB_FILE_NAME_BYTES: what would be longer is cut, and ends in %= and the digest of both
 * names, which no other name does. Free with vb_free; NULL without memory. */
char *vb_file_name_of_pair(const char *first, const char *second, vb_error *err);

enum { VB_FILE_NAME_BYTES = 202 }; /* leaves room for endings, and for those of temporary files, in the 255 of file systems */

#endif
