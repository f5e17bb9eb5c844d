/* Tests of the tar reader and writer: against the tar program, hand-made headers, and every way to break an archive. */
#include "tests/unit/scratch.h"
#include "shards/files/tar.h"

/* An archive in memory, built here without the writer under test. */
typedef struct archive {
    uint8_t bytes[1 << 16];
    size_t size;
} archive;

static void set_checksum(uint8_t *header) {
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static uint8_t *add_header(archive *tar, const char *name, char type, unsigned long long size) {
    uint8_t *header = tar->bytes + tar->size;
    memset(header, 0, 512);
    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    memcpy(header + 100, "0000644", 8);
    snprintf((char *)header + 124, 12, "%011llo", size);
    memcpy(header + 136, "00000000000", 12);
    header[156] = (uint8_t)type;
    memcpy(header + 257, "ustar\00000", 8);
    set_checksum(header);
    tar->size += 512;
    return header;
}

static void add_data(archive *tar, const void *bytes, size_t size) {
    memset(tar->bytes + tar->size, 0, (size + 511) / 512 * 512);
    memcpy(tar->bytes + tar->size, bytes, size);
    tar->size += (size + 511) / 512 * 512;
}

static void add_file(archive *tar, const char *name, const char *text) {
    add_header(tar, name, '0', strlen(text));
    add_data(tar, text, strlen(text));
}

static void add_end(archive *tar) {
    memset(tar->bytes + tar->size, 0, 1024);
    tar->size += 1024;
}

static int to_archive(void *context, const void *bytes, size_t size, vb_error *err) {
    archive *tar = context;
    (void)err;
    assert_true(tar->size + size <= sizeof tar->bytes);
    memcpy(tar->bytes + tar->size, bytes, size);
    tar->size += size;
    return 0;
}

static uint64_t first_header; /* of the archive that was read last */

/* Reads the whole archive; writes "name type size text;" of every entry into `list`. */
static int list_file(const char *path, char *list, size_t room, vb_error *err) {
    vb_source *source = NULL;
    vb_tar *tar = NULL;
    int status = -1;
    list[0] = 0;
    if (vb_source_open(&source, path, err) || vb_tar_open(&tar, source, 0, err)) goto done;
    for (;;) {
        vb_tar_entry entry;
        char text[4096] = "";
        if (vb_tar_next(tar, &entry, err)) goto done;
        if (!entry.name) break;
        assert_true(entry.size < sizeof text);
        assert_int_equal(entry.offset % 512, 0);
        assert_true(entry.header < entry.offset);
        if (!list[0]) first_header = entry.header;
        if (vb_source_read(source, entry.offset, text, entry.size, err)) goto done;
        size_t n = strlen(list);
        snprintf(list + n, room - n, "%s %c %llu %s;", entry.name, entry.type, (unsigned long long)entry.size, text);
    }
    status = 0;
done:
    vb_tar_close(tar);
    vb_source_close(source);
    return status;
}

static int list_archive(const archive *tar, size_t size, char *list, size_t room, vb_error *err) {
    char path[1024];
    put_file("x.tar", tar->bytes, size);
    return list_file(in_scratch(path, "x.tar"), list, room, err);
}

static archive tar;
static char list[1 << 16];
static vb_error err;

static void reads_what_tar_programs_write(void **state) {
    (void)state;
    if (!have("tar")) skip();
    char deep[300], path[1024], expected[4096];
    memset(deep, 'd', 120);
    deep[120] = '/';
    memset(deep + 121, 'e', 130);
    strcpy(deep + 251, ".txt");
    char name[400];
    snprintf(name, sizeof name, "in/%s", deep);
    put_text("in/a.txt", "alpha");
    put_text("in/b.cls", "7");
    put_text("in/empty.json", "");
    put_text(name, "far down");
    const char *formats[] = {"gnu", "pax", "posix", "oldgnu"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        assert_int_equal(run_command("cd %s && tar --format=%s --sort=name -C in -cf out.tar .", scratch, formats[i]), 0);
        assert_ok(list_file(in_scratch(path, "out.tar"), list, sizeof list, &err));
        snprintf(expected, sizeof expected, " 5 0 ;a.txt 0 5 alpha;b.cls 0 1 7;%.121s 5 0 ;%s 0 8 far down;empty.json 0 0 ;",
                 deep, deep);
        assert_string_equal(list, expected);
    }
    /* ustar's prefix, and v7 */
    assert_int_equal(run_command("cd %s && mkdir -p u/%.90s && echo -n hi > u/%.90s/%.60s && tar --format=ustar -C u -cf out.tar "
                                 "%.90s/%.60s && "
                                 "tar --format=v7 -C in -cf old.tar a.txt b.cls",
                                 scratch, deep, deep, deep + 121, deep, deep + 121),
                     0);
    assert_ok(list_file(in_scratch(path, "out.tar"), list, sizeof list, &err));
    snprintf(expected, sizeof expected, "%.90s/%.60s 0 2 hi;", deep, deep + 121);
    assert_string_equal(list, expected);
    assert_ok(list_file(in_scratch(path, "old.tar"), list, sizeof list, &err));
    assert_string_equal(list, "a.txt 0 5 alpha;b.cls 0 1 7;");
    /* An incremental archive: folders list what they hold, as data. */
    assert_int_equal(run_command("cd %s && tar --format=gnu -g snapshot -C in -cf steps.tar . 2>err", scratch), 0);
    assert_ok(list_file(in_scratch(path, "steps.tar"), list, sizeof list, &err));
    assert_non_null(strstr(list, " D "));
    assert_non_null(strstr(list, ";a.txt 0 5 alpha;b.cls 0 1 7;"));
}

static void tar_programs_read_what_we_write(void **state) {
    (void)state;
    tar.size = 0;
    char slashed[220], plain[300];
    memset(slashed, 'p', 150);
    slashed[150] = '/';
    memset(slashed + 151, 'q', 60);
    slashed[211] = 0;
    memset(plain, 'r', 240);
    plain[240] = 0;
    char hundred[101];
    memset(hundred, 'h', 100);
    hundred[100] = 0;
    char edge[260]; /* prefix of 155, name of 100 */
    memset(edge, 's', 256);
    edge[155] = '/';
    edge[256] = 0;
    uint8_t block[1024];
    for (int i = 0; i < 1024; i++) block[i] = (uint8_t)(i * 7);
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, "000.cls", "5", 1, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, "block", block, 1024, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, "none", NULL, 0, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, slashed, "x", 1, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, plain, "y", 1, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, hundred, "z", 1, &err));
    assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, edge, "w", 1, &err));
    assert_ok(vb_tar_write_end(&(vb_tar_sink){to_archive, &tar}, &err));
    assert_fails(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, "", "w", 1, &err), VB_EDATA, "name of 0 bytes");
    /* The first header as POSIX lays it out, byte by byte: mode 0644, owner and time 0. */
    static const char golden[] = "000.cls";
    assert_memory_equal(tar.bytes, golden, sizeof golden);
    assert_memory_equal(tar.bytes + 100,
                        "0000644\0"
                        "0000000\0"
                        "0000000\0"
                        "00000000001\0"
                        "00000000000\0"
                        "006736\0 0",
                        57);
    assert_memory_equal(tar.bytes + 257, "ustar\00000", 8);
    assert_int_equal(tar.bytes[512], '5');
    put_file("ours.tar", tar.bytes, tar.size);
    char path[1024];
    assert_ok(list_file(in_scratch(path, "ours.tar"), list, sizeof list, &err));
    assert_non_null(strstr(list, slashed));
    assert_non_null(strstr(list, plain));
    assert_non_null(strstr(list, edge));
    if (!have("tar")) return;
    assert_int_equal(
        run_command("cd %s && rm -rf got && mkdir got && tar -C got -xf ours.tar 2>err && test ! -s err && test \"$(cat "
                    "got/%s)$(cat got/%s)$(cat got/%s)$(cat got/%s)\" = xyzw && "
                    "test $(stat -c %%Y got/none) = 0 && tail -c +1537 ours.tar | head -c 1024 | cmp - got/block",
                    scratch, slashed, plain, hundred, edge),
        0);
}

/* A pax record counts its own digits: around 1,000 bytes it has one more than the length without them would have. */
static void long_names_come_back(void **state) {
    (void)state;
    enum { FROM = 985, TO = 1000 };
    static char names[TO - FROM][TO + 1];
    tar.size = 0;
    for (int n = FROM; n < TO; n++) {
        memset(names[n - FROM], 'a' + n % 26, (size_t)n);
        assert_ok(vb_tar_write_file(&(vb_tar_sink){to_archive, &tar}, names[n - FROM], "x", 1, &err));
    }
    assert_ok(vb_tar_write_end(&(vb_tar_sink){to_archive, &tar}, &err));
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    for (int n = FROM; n < TO; n++) assert_non_null(strstr(list, names[n - FROM]));
    if (have("tar")) /* which tells what it passes over */
        assert_int_equal(run_command("cd %s && tar -tf x.tar >told 2>err && test ! -s err && test $(wc -c <told) = %d", scratch,
                                     (FROM + TO + 1) * (TO - FROM) / 2),
                         0);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    tar.size = 0;
    add_file(&tar, "a.png", "0123456789");
    add_file(&tar, "a.txt", "");
    uint8_t *header = add_header(&tar, "ignored", 'x', 21);
    (void)header;
    add_data(&tar, "21 path=long/name.jpg", 21);
    tar.bytes[tar.size - 512 + 20] = '\n'; /* 21 bytes: "21 path=long/name.jp\n" */
    add_file(&tar, "short", "data");
    size_t content = tar.size;
    add_end(&tar);
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_string_equal(list, "a.png 0 10 0123456789;a.txt 0 0 ;long/name.jp 0 4 data;");
    assert_ok(list_archive(&tar, content + 512, list, sizeof list, &err)); /* one zero block at the very end */
    for (size_t size = 0; size < tar.size; size += size < content && size % 512 == 0 ? 511 : 1) {
        if (size == content + 512) continue;
        if (size > content + 512) break; /* the second zero block is not whole: nothing is lost */
        assert_fails(list_archive(&tar, size, list, sizeof list, &err), VB_EDATA, "truncated archive");
    }
    /* Behind the end: zeros are padding, anything else is another archive. */
    memset(tar.bytes + tar.size, 0, 20480);
    assert_ok(list_archive(&tar, tar.size + 20480, list, sizeof list, &err));
    tar.bytes[tar.size + 20000] = 1;
    assert_fails(list_archive(&tar, tar.size + 20480, list, sizeof list, &err), VB_EDATA, "data after the end");
}

static void an_end_without_end_is_refused(void **state) {
    (void)state;
    tar.size = 0;
    add_file(&tar, "a", "text");
    add_end(&tar);
    const char *path = scratch_path("zeros.tar");
    put_file("zeros.tar", tar.bytes, tar.size);
    const off_t most = (off_t)tar.size + (256 << 20);
    assert_int_equal(truncate(path, most), 0); /* a hole */
    assert_ok(list_file(path, list, sizeof list, &err));
    assert_int_equal(truncate(path, most + (1 << 20)), 0);
    assert_fails(list_file(path, list, sizeof list, &err), VB_EDATA, "zeros.tar: offset 1536: more than 256 MiB of zeros after");
    assert_int_equal(truncate(path, INT64_C(1) << 40), 0);
    assert_fails(list_file(path, list, sizeof list, &err), VB_EDATA, "more than 256 MiB of zeros after");
}

static void every_flipped_bit_of_a_header_is_refused(void **state) {
    (void)state;
    tar.size = 0;
    add_file(&tar, "a.png", "0123456789");
    add_end(&tar);
    int accepted = 0;
    /* One bit of every byte, and all of the checksum's. */
    for (int bit = 0; bit < 512 * 8; bit++) {
        if ((bit < 148 * 8 || bit >= 156 * 8) && bit % 8 != bit / 8 % 8) continue;
        tar.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        vb_error_clear(&err);
        if (!list_archive(&tar, tar.size, list, sizeof list, &err)) {
            accepted++;
            assert_true(bit / 8 >= 148 && bit / 8 < 156); /* the checksum's own field: another terminator */
            assert_string_equal(list, "a.png 0 10 0123456789;");
        } else assert_int_equal(err.code, VB_EDATA);
        tar.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(accepted <= 3);
}

static void sizes_are_octal_or_binary(void **state) {
    (void)state;
    static const struct {
        const char *field;
        int ok;
    } cases[] = {{"00000000004", 1},
                 {"          4 ", 1},
                 {"4", 1},
                 {"4          ", 1},
                 {"000000000004", 1},
                 {"\x80\0\0\0\0\0\0\0\0\0\0\x04", 1},
                 {"", 0},
                 {"           ", 0},
                 {"4x", 0},
                 {"8", 0},
                 {"-4", 0},
                 {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfc", 0},
                 {"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 0},
                 {"\x80\0\0\0\0\0\0\0\x7f\xff\xff\xff", 0},
                 {"\x80\x01\0\0\0\0\0\0\0\0\0\x04", 0},
                 {"777777777777", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tar.size = 0;
        uint8_t *header = add_header(&tar, "n", '0', 0);
        memset(header + 124, 0, 12);
        memcpy(header + 124, cases[i].field,
               cases[i].field[0] == '\x80' || strlen(cases[i].field) > 12 ? 12 : strlen(cases[i].field));
        set_checksum(header);
        add_data(&tar, "data", 4);
        add_end(&tar);
        vb_error_clear(&err);
        int status = list_archive(&tar, tar.size, list, sizeof list, &err);
        if (cases[i].ok) {
            if (status) fail_msg("case %zu: %s", i, err.text);
            assert_string_equal(list, "n 0 4 data;");
        } else {
            if (!status) fail_msg("case %zu is accepted: %s", i, list);
            assert_int_equal(err.code, VB_EDATA);
        }
    }
}

static void try_pax(const char *records, size_t size, char type) {
    tar.size = 0;
    add_header(&tar, "PaxHeader", type, size);
    add_data(&tar, records, size);
    add_file(&tar, "short", "data");
    add_end(&tar);
}

static void extended_headers(void **state) {
    (void)state;
    static const struct {
        const char *records;
        const char *list;
    } good[] = {{"18 path=other.txt\n", "other.txt 0 4 data;"},
                {"9 path=n\n10 size=3\n", "n 0 3 dat;"},
                {"19 comment=a=b=c=d\n20 mtime=1700000000\n", "short 0 4 data;"},
                {"21 path=./././a/b.png\n", NULL}, /* wrong length */
                {"22 path=./././a/b.png\n", "a/b.png 0 4 data;"},
                {"20 path=.//.//a.png\n", "a.png 0 4 data;"},
                {"8 path=\n", "short 0 4 data;"}, /* POSIX: as if there were none */
                {"", "short 0 4 data;"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        try_pax(good[i].records, strlen(good[i].records), 'x');
        if (!good[i].list) {
            assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "malformed pax header");
            continue;
        }
        assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
        assert_string_equal(list, good[i].list);
    }
    static const struct {
        const char *records;
        size_t size;
        char type;
        int code;
        const char *says;
    } bad[] = {{"path=x\n", 7, 'x', VB_EDATA, "malformed pax"},
               {"99 path=x\n", 10, 'x', VB_EDATA, "malformed pax"},
               {"3 \n", 3, 'x', VB_EDATA, "without a key"},
               {"2 \n", 3, 'x', VB_EDATA, "malformed pax"},
               {"9 pathxxx\n", 10, 'x', VB_EDATA, "malformed pax"},
               {"10 pathxxx\n", 10, 'x', VB_EDATA, "malformed pax"},
               {"11 pathxxx\n", 11, 'x', VB_EDATA, "without a key"},
               {"5 =a\n", 5, 'x', VB_EDATA, "without a key"},
               {"10 path=\0x\n", 11, 'x', VB_EDATA, "malformed pax"},
               {"11 path=\0x\n", 11, 'x', VB_EDATA, "NUL"},
               {"11 size=3x\n", 11, 'x', VB_EDATA, "malformed size"},
               {"8 size=\n", 8, 'x', VB_EDATA, "malformed size"},
               {"30 size=99999999999999999999\n", 29, 'x', VB_EDATA, "malformed pax"},
               {"29 size=99999999999999999999\n", 29, 'x', VB_EDATA, "malformed size"},
               {"23 size=10000000000000\n", 23, 'x', VB_EDATA, "truncated archive"},
               {"19 size=4294967299\n", 19, 'x', VB_EDATA, "truncated archive"}, /* 2^32 and the 3 bytes that are there */
               {"9 path=n\n", 9, 'g', VB_EDATA, "global"},
               {"22 GNU.sparse.major=1\n", 22, 'x', VB_EUNSUPPORTED, "sparse"},
               {"999999999999999999999 path=x\n", 29, 'x', VB_EDATA, "malformed pax"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        try_pax(bad[i].records, bad[i].size, bad[i].type);
        assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), bad[i].code, bad[i].says);
    }
    try_pax("52 comment=0123456789012345678901234567890123456789\n", 52, 'g');
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_string_equal(list, "short 0 4 data;");
    assert_int_equal(first_header, 1024); /* behind the global one, which belongs to the archive */
    try_pax("9 path=n\n", 9, 'x');
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_int_equal(first_header, 0);
    try_pax("18 path=other.txt\n", 18, 'X'); /* Solaris' letter for the same */
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_string_equal(list, "other.txt 0 4 data;");
    assert_int_equal(first_header, 0);
    if (have("tar")) assert_int_equal(run_command("test \"$(tar -tf %s)\" = other.txt", scratch_path("x.tar")), 0);
    try_pax("", 0, 'L');
    assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "empty long name");
    tar.size = 0; /* an extended header that belongs to nothing */
    add_header(&tar, "PaxHeader", 'x', 9);
    add_data(&tar, "9 path=n\n", 9);
    add_end(&tar);
    assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "ends after an extended header");
    tar.size = 0; /* one that is no header but a bomb */
    add_header(&tar, "PaxHeader", 'x', 1ull << 32);
    add_end(&tar);
    assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "truncated archive");
}

static void kinds_of_entries(void **state) {
    (void)state;
    tar.size = 0;
    add_header(&tar, "folder/", '5', 1234); /* a hint, not data */
    add_header(&tar, "old/", '\0', 0);
    add_header(&tar, "soft", '2', 0);
    add_header(&tar, "hard", '1', 0);
    add_header(&tar, "pipe", '6', 0);
    add_header(&tar, "volume", 'V', 0);
    add_header(&tar, "dump", 'D', 4); /* types of programs' own may have data */
    add_data(&tar, "Ynow", 4);
    add_header(&tar, "joined", '7', 0);
    uint8_t *gnu = add_header(&tar, "timed", '0', 0); /* times in the place of ustar's prefix */
    memcpy(gnu + 257, "ustar  ", 8);
    memcpy(gnu + 345, "14704160000", 12);
    set_checksum(gnu);
    add_end(&tar);
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_string_equal(list,
                        "folder/ 5 0 ;old/ 5 0 ;soft 2 0 ;hard 1 0 ;pipe 6 0 ;volume V 0 ;dump D 4 Ynow;joined 0 0 ;timed 0 0 ;");
    static const struct {
        char type;
        size_t size;
        int code;
        const char *says;
    } bad[] = {{'S', 0, VB_EUNSUPPORTED, "sparse"},
               {'M', 0, VB_EUNSUPPORTED, "multi-volume"},
               {'1', 9, VB_EUNSUPPORTED, "link"},
               {'!', 0, VB_EDATA, "unknown type"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tar.size = 0;
        add_header(&tar, "n", bad[i].type, bad[i].size);
        add_end(&tar);
        assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), bad[i].code, bad[i].says);
    }
    tar.size = 0;
    add_header(&tar, "", '0', 0);
    add_end(&tar);
    assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "without a name");
    memset(tar.bytes, 'x', 2048);
    assert_fails(list_archive(&tar, 2048, list, sizeof list, &err), VB_EDATA, "wrong checksum");
}

/* Programs that summed signed characters: names that are not ASCII tell. */
static void sums_of_signed_characters(void **state) {
    (void)state;
    char path[1024];
    tar.size = 0;
    uint8_t *header = add_header(&tar, "caf\xe9", '0', 4);
    int sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += (int8_t)header[i];
    snprintf((char *)header + 148, 8, "%06o", (unsigned)sum);
    add_data(&tar, "data", 4);
    add_end(&tar);
    assert_ok(list_archive(&tar, tar.size, list, sizeof list, &err));
    assert_string_equal(list, "caf\xe9 0 4 data;");
    if (have("tar")) assert_int_equal(run_command("test $(tar -xOf %s) = data", in_scratch(path, "x.tar")), 0);
    header[148 + 5]++; /* one more is neither sum */
    assert_fails(list_archive(&tar, tar.size, list, sizeof list, &err), VB_EDATA, "wrong checksum");
}

/* The first bytes of what is written, however much it is. */
static int to_beginning(void *context, const void *bytes, size_t size, vb_error *error) {
    archive *beginning = context;
    const size_t n = size < 512 ? size : 512;
    (void)error;
    if (beginning->size + n <= 2048) memcpy(beginning->bytes + beginning->size, bytes, n);
    beginning->size += size;
    return 0;
}

/* Eleven octal digits end at 8 GiB - 1; what is larger has its size in a pax header. */
static void sizes_beyond_8_gib_are_written(void **state) {
    (void)state;
    static const char data[512];
    const size_t edge = (size_t)1 << 33;
    for (size_t size = edge - 1; size <= edge; size++) {
        const bool large = size == edge;
        char path[1024];
        tar.size = 0;
        assert_ok(vb_tar_write_file(&(vb_tar_sink){to_beginning, &tar}, "a.png", data, size, &err));
        assert_true(tar.size == (large ? 1024 : 0) + 512 + edge);
        assert_int_equal(tar.bytes[156], large ? 'x' : '0');
        if (large) assert_memory_equal(tar.bytes + 512, "19 size=8589934592\n\0", 20);
        else assert_string_equal((char *)tar.bytes + 124, "77777777777");
        put_file("large.tar", tar.bytes, 1536);
        if (have("tar")) /* which tells the entry before it misses the data */
            assert_int_equal(run_command("tar -tvf %s 2>/dev/null | grep -q ' %zu .* a.png$'", in_scratch(path, "large.tar"),
                                         size),
                             0);
    }
}

static void goes_on_from_any_header(void **state) {
    (void)state;
    tar.size = 0;
    add_file(&tar, "a", "1");
    size_t second = tar.size;
    add_file(&tar, "b", "2");
    add_end(&tar);
    put_file("x.tar", tar.bytes, tar.size);
    char path[1024];
    vb_source *source;
    vb_tar *reader;
    vb_tar_entry entry;
    assert_ok(vb_source_open(&source, in_scratch(path, "x.tar"), &err));
    assert_ok(vb_tar_open(&reader, source, second, &err));
    assert_ok(vb_tar_next(reader, &entry, &err));
    assert_string_equal(entry.name, "b");
    assert_int_equal(entry.header, second);
    assert_ok(vb_tar_next(reader, &entry, &err));
    assert_null(entry.name);
    assert_ok(vb_tar_next(reader, &entry, &err)); /* the end stays the end */
    assert_null(entry.name);
    vb_tar_close(reader);
    vb_source_close(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_tar_programs_write),
                                       cmocka_unit_test(tar_programs_read_what_we_write),
                                       cmocka_unit_test(long_names_come_back),
                                       cmocka_unit_test(every_truncation_is_refused),
                                       cmocka_unit_test(an_end_without_end_is_refused),
                                       cmocka_unit_test(every_flipped_bit_of_a_header_is_refused),
                                       cmocka_unit_test(sizes_are_octal_or_binary),
                                       cmocka_unit_test(extended_headers),
                                       cmocka_unit_test(kinds_of_entries),
                                       cmocka_unit_test(sums_of_signed_characters),
                                       cmocka_unit_test(sizes_beyond_8_gib_are_written),
                                       cmocka_unit_test(goes_on_from_any_header)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
