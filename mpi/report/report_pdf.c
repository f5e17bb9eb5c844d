/* The report as PDF: the page, printed by Chromium without a window. */
#include "mpi/report/report_pdf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { PDF_LIMIT = 1 << 30 };

/* The first of the browser's names that PATH knows; NULL without any. */
static const char *find_browser(void) {
    static const char *const names[] = {"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"};
    const char *path = getenv("PATH");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (const char *at = path ? path : ""; *at;) {
            size_t n = strcspn(at, ":");
            char *program = n ? vb_format(NULL, "%.*s/%s", (int)n, at, names[i]) : NULL;
            bool found = program && !access(program, X_OK);
            vb_free(program);
            if (found) return names[i];
            at += n + (at[n] == ':');
        }
    return NULL;
}

static int print_page(const char *browser, const char *folder, const char *profile, vb_error *err) {
    char *user = vb_format(err, "--user-data-dir=%s", profile);
    if (!user) return -1;
    /* Its sandbox does not start as root; the page loads nothing, and its script is our own. */
    const char *sandbox = geteuid() ? "--no-default-browser-check" : "--no-sandbox";
    const char *const argv[] = {"timeout",
                                "-k",
                                "5",
                                "180",
                                browser,
                                "--headless",
                                "--disable-gpu",
                                "--disable-quic",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-sync",
                                sandbox,
                                user,
                                "--no-pdf-header-footer",
                                "--print-to-pdf=page.pdf",
                                "page.html",
                                NULL};
    int status = vb_spawn_in(folder, argv, "install it (Debian: apt-get install coreutils)", err);
    vb_free(user);
    return status ? vb_error_prefix(err, "%s, printing the page", browser) : 0;
}

static int take_pdf(const char *path, const char *browser, const char *output, vb_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!vb_path_exists(path)) return vb_errorf(err, VB_EINTERNAL, "%s ended well and wrote no PDF", browser);
    if (vb_file_read_whole(path, PDF_LIMIT, &bytes, &size, err)) return -1;
    bool whole = size > 64 && !memcmp(bytes, "%PDF-", 5) && memmem(bytes + size - 64, 64, "%%EOF", 5);
    int status = whole ? vb_writer_write_whole(output, bytes, size, err) :
                         vb_errorf(err, VB_EINTERNAL, "%s: expected a whole PDF of %s, found %zu bytes of something else", path,
                                   browser, size);
    vb_free(bytes);
    return status;
}

int vb_report_pdf(const vb_strbuf *page, const char *data, const char *output, vb_error *err) {
    const char *browser = find_browser();
    if (!browser)
        return vb_errorf(err, VB_EMISSING,
                         "no chromium in PATH, which prints the page: install it (Debian: apt-get install chromium), or "
                         "print the HTML page from a browser");
    char *folder = vb_path_absolute(data, err);
    char *html = vb_format(err, "%s/page.html", data), *pdf = vb_format(err, "%s/page.pdf", data), *profile = NULL;
    int status = -1;
    if (folder && html && pdf && (profile = vb_format(err, "%s/profile.%ld", folder, (long)getpid()))) {
        status = vb_strbuf_write(page, html, err);
        if (!status) unlink(pdf);
        if (!status) status = print_page(browser, data, profile, err);
        if (!status) status = take_pdf(pdf, browser, output, err);
        unlink(html);
        unlink(pdf);
        vb_error ignored;
        vb_spawn_in(folder, (const char *const[]){"rm", "-rf", "--", profile, NULL}, "", &ignored);
    }
    vb_free(profile);
    vb_free(pdf);
    vb_free(html);
    vb_free(folder);
    return status;
}
