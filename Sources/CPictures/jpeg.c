#include "cpictures.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// Everything that outlives a long jump stands here and not in local variables.
typedef struct {
    struct jpeg_decompress_struct reader;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    cp_status status;
    uint32_t scans, warnings;
    cp_picture *out;
} job;

static job *job_of(j_common_ptr common) { return (job *)common->client_data; }

static void end(job *j, cp_status status) {
    j->status = status;
    longjmp(j->jump, 1);
}

static void keep_message(j_common_ptr common) {
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    snprintf(job_of(common)->out->message, sizeof job_of(common)->out->message, "%s", text);
}

static void on_error(j_common_ptr common) {
    keep_message(common);
    end(job_of(common), common->err->msg_code == JERR_OUT_OF_MEMORY ? CP_NO_MEMORY : CP_DAMAGED);
}

// Level −1 is a warning, others are traces.
static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    job *j = job_of(common);
    keep_message(common);
    switch (common->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER: j->out->cut = true; break;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: j->out->corrupt = true; break;
    default: break;
    }
    if (++j->out->warnings > j->warnings) end(j, CP_TOO_MANY_WARNINGS);
}

static void on_output(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
    job *j = job_of(common);
    if ((uint32_t)((j_decompress_ptr)common)->input_scan_number > j->scans) end(j, CP_TOO_MANY_SCANS);
}

static void choose(job *j, uint32_t denominator, bool grey, const cp_limits *limits) {
    j_decompress_ptr reader = &j->reader;
    uint64_t pixels = (uint64_t)reader->image_width * reader->image_height;
    if (pixels > limits->pixels) end(j, CP_TOO_MANY_PIXELS);
    // A progressive picture is kept whole in coefficients of two bytes.
    reader->mem->max_memory_to_use = (long)((64u << 20) + 12 * pixels);
    j->out->adobe = reader->saw_Adobe_marker;
    reader->scale_num = 1;
    reader->scale_denom = denominator;
    reader->dct_method = JDCT_ISLOW;
    switch (reader->jpeg_color_space) {
    case JCS_GRAYSCALE: reader->out_color_space = JCS_GRAYSCALE; break;
    case JCS_CMYK:
    case JCS_YCCK: reader->out_color_space = JCS_CMYK; break;
    default: reader->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB; break;
    }
}

static void read_rows(job *j) {
    j_decompress_ptr reader = &j->reader;
    cp_picture *out = j->out;
    out->width = reader->output_width;
    out->height = reader->output_height;
    out->channels = (uint32_t)reader->output_components;
    size_t row = (size_t)out->width * out->channels;
    out->pixels = malloc(row * out->height);
    if (!out->pixels) end(j, CP_NO_MEMORY);
    while (reader->output_scanline < reader->output_height) {
        JSAMPROW next = out->pixels + row * reader->output_scanline;
        jpeg_read_scanlines(reader, &next, 1);
    }
}

cp_status cp_read_jpeg(const uint8_t *bytes, size_t count, uint32_t denominator, bool grey,
                       const cp_limits *limits, cp_picture *out) {
    memset(out, 0, sizeof *out);
    job *j = calloc(1, sizeof *j);
    if (!j) return CP_NO_MEMORY;
    j->out = out;
    j->scans = limits->scans;
    j->warnings = limits->warnings;
    j->reader.err = jpeg_std_error(&j->errors);
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->errors.output_message = on_output;
    j->reader.client_data = j;
    if (setjmp(j->jump) == 0) {
        jpeg_create_decompress(&j->reader);
        j->progress.progress_monitor = on_progress;
        j->reader.progress = &j->progress;
        jpeg_mem_src(&j->reader, bytes, count);
        jpeg_read_header(&j->reader, TRUE);
        choose(j, denominator, grey, limits);
        jpeg_start_decompress(&j->reader);
        read_rows(j);
        // All rows are there: that the end marker is missing harms nothing.
        bool cut = out->cut;
        jpeg_finish_decompress(&j->reader);
        out->cut = cut;
    }
    cp_status status = j->status;
    jpeg_destroy_decompress(&j->reader);
    free(j);
    if (status != CP_OK) cp_free(out);
    return status;
}

void cp_free(cp_picture *picture) {
    free(picture->pixels);
    picture->pixels = NULL;
}
