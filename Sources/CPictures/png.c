#include "cpictures.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

// Everything that outlives a long jump stands here and not in local variables.
typedef struct {
    png_structp reader;
    png_infop info;
    jmp_buf jump;
    cp_status status;
    const uint8_t *bytes;
    size_t left;
    uint32_t warnings;
    cp_picture *out;
} job;

static void end(job *j, cp_status status) {
    j->status = status;
    longjmp(j->jump, 1);
}

static void keep_message(job *j, png_const_charp text) {
    snprintf(j->out->message, sizeof j->out->message, "%s", text);
}

static void on_error(png_structp reader, png_const_charp text) {
    job *j = png_get_error_ptr(reader);
    keep_message(j, text);
    end(j, CP_DAMAGED);
}

static void on_warning(png_structp reader, png_const_charp text) {
    job *j = png_get_error_ptr(reader);
    keep_message(j, text);
    if (++j->out->warnings > j->warnings) end(j, CP_TOO_MANY_WARNINGS);
}

static void on_read(png_structp reader, png_bytep to, size_t count) {
    job *j = png_get_io_ptr(reader);
    if (count > j->left) {
        j->out->cut = true;
        png_error(reader, "the file ends too early");
    }
    memcpy(to, j->bytes, count);
    j->bytes += count;
    j->left -= count;
}

static void open_picture(job *j, const cp_limits *limits) {
    png_set_read_fn(j->reader, j, on_read);
    png_set_user_limits(j->reader, 1000000, 1000000);
    png_set_chunk_cache_max(j->reader, 1000);
    png_set_chunk_malloc_max(j->reader, 8000000);
    // All but IHDR, PLTE, tRNS, IDAT and IEND.
    png_set_keep_unknown_chunks(j->reader, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(j->reader, j->info);
    j->out->width = png_get_image_width(j->reader, j->info);
    j->out->height = png_get_image_height(j->reader, j->info);
    if ((uint64_t)j->out->width * j->out->height > limits->pixels) end(j, CP_TOO_MANY_PIXELS);
}

static void read_rows(job *j) {
    cp_picture *out = j->out;
    png_set_expand(j->reader);
    png_set_scale_16(j->reader);
    int passes = png_set_interlace_handling(j->reader);
    png_read_update_info(j->reader, j->info);
    out->channels = png_get_channels(j->reader, j->info);
    size_t row = (size_t)out->width * out->channels;
    if (png_get_rowbytes(j->reader, j->info) != row) png_error(j->reader, "rows of another size");
    // Zeros, because libpng passes over a row that a damaged pass lacks.
    out->pixels = calloc(out->height, row);
    if (!out->pixels) end(j, CP_NO_MEMORY);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < out->height; y++)
            png_read_row(j->reader, out->pixels + row * y, NULL);
    png_read_end(j->reader, NULL);
}

cp_status cp_read_png(const uint8_t *bytes, size_t count, const cp_limits *limits, cp_picture *out) {
    memset(out, 0, sizeof *out);
    job *j = calloc(1, sizeof *j);
    if (!j) return CP_NO_MEMORY;
    j->out = out;
    j->bytes = bytes;
    j->left = count;
    j->warnings = limits->warnings;
    if (setjmp(j->jump) == 0) {
        j->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, j, on_error, on_warning);
        if (j->reader) j->info = png_create_info_struct(j->reader);
        if (!j->info) end(j, CP_NO_MEMORY);
        open_picture(j, limits);
        read_rows(j);
    }
    cp_status status = j->status;
    png_destroy_read_struct(&j->reader, &j->info, NULL);
    free(j);
    if (status != CP_OK) cp_free(out);
    return status;
}
