// The C face of LibTorch, as much of it as Limbeck needs.
//
// Every function that can fail returns a status: 0, or 1 with the reason in ct_last_error()
// (thread-local). Results are out-parameters. A ct_tensor is an owned handle: free it with
// ct_free. No C++ exception leaves this library.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_box *ct_tensor;
typedef struct ct_generator_box *ct_generator;
typedef int ct_status;

// Shapes, strides, dimension lists.
typedef struct {
    const int64_t *values;
    int64_t count;
} ct_ints;

typedef struct {
    const ct_tensor *values;
    int64_t count;
} ct_tensors;

enum {
    CT_UINT8, CT_INT8, CT_INT16, CT_INT32, CT_INT64,
    CT_FLOAT16, CT_BFLOAT16, CT_FLOAT32, CT_FLOAT64, CT_BOOL
};
enum { CT_CPU, CT_CUDA, CT_MPS };

// ---- errors, handles, runtime (runtime.cpp)
const char *ct_last_error(void);
int64_t ct_live_handles(void);  // tensors and generators
int64_t ct_live_handles_of_thread(void);  // made minus freed by the calling thread
const char *ct_version(void);
const char *ct_capability(void);  // the processor's instruction set as LibTorch uses it
int ct_threads(void);
void ct_set_threads(int count);
void ct_keep_memory(void);  // process-wide: freed memory stays with the allocator
bool ct_device_available(int device);
ct_status ct_set_deterministic(bool on);
bool ct_set_grad_enabled(bool on);  // returns the former value
typedef struct {
    bool enabled;
    int dtype;
} ct_autocast;
ct_autocast ct_set_autocast(int device, ct_autocast wanted);  // returns the former value
void ct_clear_autocast_cache(void);

// ---- generators (generator.cpp)
ct_status ct_generator_new(uint64_t seed, int device, int index, ct_generator *out);
void ct_generator_free(ct_generator g);
ct_status ct_fill_normal(ct_tensor t, double mean, double sd, ct_generator g);
ct_status ct_fill_uniform(ct_tensor t, double low, double high, ct_generator g);
ct_status ct_fill_bernoulli(ct_tensor t, double p, ct_generator g);

// ---- tensors (tensor.cpp)
void ct_free(ct_tensor t);
ct_status ct_from_bytes(const void *bytes, size_t size, ct_ints shape, int dtype, ct_tensor *out);
ct_status ct_full(ct_ints shape, double value, int dtype, int device, int index, ct_tensor *out);
ct_status ct_empty(ct_ints shape, int dtype, int device, int index, ct_tensor *out);
ct_status ct_arange(int64_t count, int dtype, ct_tensor *out);
int64_t ct_dim(ct_tensor t);
int64_t ct_size(ct_tensor t, int64_t dim);
int64_t ct_numel(ct_tensor t);
int ct_dtype(ct_tensor t);
void ct_device(ct_tensor t, int *device, int *index);
bool ct_is_contiguous(ct_tensor t, bool channels_last);
ct_status ct_read(ct_tensor t, int dtype, void *out, size_t size);  // row-major host copy
ct_status ct_item(ct_tensor t, double *out);
ct_status ct_to_dtype(ct_tensor t, int dtype, ct_tensor *out);
ct_status ct_to_device(ct_tensor t, int device, int index, ct_tensor *out);
ct_status ct_clone(ct_tensor t, ct_tensor *out);
ct_status ct_detach(ct_tensor t, ct_tensor *out);
ct_status ct_contiguous(ct_tensor t, bool channels_last, ct_tensor *out);
// In place, on the data only: never recorded by autograd.
ct_status ct_set_data(ct_tensor t, ct_tensor source);  // rebinds storage and layout
ct_status ct_copy(ct_tensor t, ct_tensor source);
ct_status ct_fill(ct_tensor t, double value);
ct_status ct_add_in_place(ct_tensor t, ct_tensor other, double alpha);
ct_status ct_mul_in_place(ct_tensor t, double factor);

// ---- autograd (autograd.cpp)
bool ct_requires_grad(ct_tensor t);
ct_status ct_set_requires_grad(ct_tensor t, bool on);
ct_status ct_gradient(ct_tensor t, ct_tensor *out);  // NULL when there is none
ct_status ct_clear_gradient(ct_tensor t);
ct_status ct_backward(ct_tensor t);
// out[i] is NULL where `of` does not depend on respect_to[i].
ct_status ct_grad(ct_tensor of, ct_tensors respect_to, ct_tensor seed, bool create_graph, bool retain,
                  ct_tensor *out);
// `values` [N…] as a function of `input` [N…, …] whose derivative is `gradient`, shaped like `input`: its
// backward gives upstream · gradient. Once only: a backward that records itself is refused.
ct_status ct_attach(ct_tensor input, ct_tensor values, ct_tensor gradient, ct_tensor *out);

// ---- element-wise operators (math.cpp)
enum {
    CT_NEG, CT_EXP, CT_LOG, CT_LOG1P, CT_EXPM1, CT_SQRT, CT_RSQRT, CT_ABS, CT_SIGMOID, CT_TANH, CT_RELU,
    CT_SIGN, CT_FLOOR, CT_GELU, CT_SILU, CT_SOFTPLUS, CT_LOG_SIGMOID, CT_NOT, CT_IS_FINITE, CT_SIN,
    CT_COS, CT_ERF, CT_RECIPROCAL, CT_SQUARE, CT_RELU6, CT_SINGULAR_VALUES
};
enum {
    CT_ADD, CT_SUB, CT_MUL, CT_DIV, CT_POW, CT_MAXIMUM, CT_MINIMUM,
    CT_EQ, CT_NE, CT_LT, CT_LE, CT_GT, CT_GE, CT_AND, CT_OR
};
ct_status ct_unary(int op, ct_tensor a, ct_tensor *out);
ct_status ct_binary(int op, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_status ct_binary_scalar(int op, ct_tensor a, double b, ct_tensor *out);
ct_status ct_clamp(ct_tensor a, const double *low, const double *high, ct_tensor *out);
ct_status ct_leaky_relu(ct_tensor a, double slope, ct_tensor *out);
ct_status ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_status ct_matmul(ct_tensor a, ct_tensor b, ct_tensor *out);
ct_status ct_addmm(ct_tensor c, ct_tensor a, ct_tensor b, double beta, double alpha, ct_tensor *out);
// Solves a x = b for a symmetric positive definite a.
ct_status ct_cholesky_solve(ct_tensor a, ct_tensor b, ct_tensor *out);

// ---- reductions (reduce.cpp)
enum { CT_SUM, CT_MEAN, CT_AMAX, CT_AMIN, CT_LOGSUMEXP, CT_NORM, CT_ANY, CT_ALL };
// `dims` empty: over all of them.
ct_status ct_reduce(int op, ct_tensor a, ct_ints dims, bool keep, ct_tensor *out);
ct_status ct_variance(ct_tensor a, ct_ints dims, bool unbiased, bool keep, ct_tensor *out);
ct_status ct_argmax(ct_tensor a, int64_t dim, bool keep, ct_tensor *out);
ct_status ct_softmax(ct_tensor a, int64_t dim, bool log, ct_tensor *out);
ct_status ct_topk(ct_tensor a, int64_t k, int64_t dim, ct_tensor *values, ct_tensor *indices);
ct_status ct_sort(ct_tensor a, int64_t dim, bool descending, ct_tensor *values, ct_tensor *indices);
ct_status ct_cumsum(ct_tensor a, int64_t dim, ct_tensor *out);

// ---- shape (shape.cpp)
ct_status ct_reshape(ct_tensor a, ct_ints shape, ct_tensor *out);
ct_status ct_flatten(ct_tensor a, int64_t from, ct_tensor *out);
ct_status ct_transpose(ct_tensor a, int64_t i, int64_t j, ct_tensor *out);
ct_status ct_permute(ct_tensor a, ct_ints order, ct_tensor *out);
ct_status ct_squeeze(ct_tensor a, int64_t dim, ct_tensor *out);
ct_status ct_unsqueeze(ct_tensor a, int64_t dim, ct_tensor *out);
ct_status ct_expand(ct_tensor a, ct_ints shape, ct_tensor *out);
ct_status ct_narrow(ct_tensor a, int64_t dim, int64_t start, int64_t length, ct_tensor *out);
ct_status ct_select(ct_tensor a, int64_t dim, int64_t index, ct_tensor *out);
ct_status ct_index_select(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out);
ct_status ct_gather(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out);
ct_status ct_scatter_add(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor source, ct_tensor *out);
ct_status ct_one_hot(ct_tensor a, int64_t classes, ct_tensor *out);
ct_status ct_cat(ct_tensors parts, int64_t dim, ct_tensor *out);
ct_status ct_stack(ct_tensors parts, int64_t dim, ct_tensor *out);
ct_status ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out);
ct_status ct_pad(ct_tensor a, ct_ints amounts, double value, ct_tensor *out);
ct_status ct_flip(ct_tensor a, ct_ints dims, ct_tensor *out);

// ---- state by sample (rows.cpp): a store [N, …], rows int64 [B] on the CPU or the store's device, values
// [B, …]. Never recorded by autograd; refused before anything is written.
ct_status ct_row_read(ct_tensor store, ct_tensor rows, ct_tensor *out);
ct_status ct_row_write(ct_tensor store, ct_tensor rows, ct_tensor values);  // rows that all differ
ct_status ct_row_add(ct_tensor store, ct_tensor rows, ct_tensor values);

// ---- networks (nn.cpp)
ct_status ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out);
// 1-D, 2-D or 3-D by the length of stride.
ct_status ct_convolution(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_ints stride, ct_ints padding,
                         ct_ints dilation, bool transposed, ct_ints output_padding, int64_t groups,
                         ct_tensor *out);
ct_status ct_max_pool1d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out);
ct_status ct_max_pool2d(ct_tensor x, ct_ints kernel, ct_ints stride, ct_ints padding, bool ceil,
                        ct_tensor *out);
ct_status ct_avg_pool2d(ct_tensor x, ct_ints kernel, ct_ints stride, ct_ints padding, bool ceil,
                        ct_tensor *out);
ct_status ct_adaptive_avg_pool2d(ct_tensor x, ct_ints size, ct_tensor *out);
ct_status ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean, ct_tensor variance,
                        bool training, double momentum, double eps, ct_tensor *out);
ct_status ct_layer_norm(ct_tensor x, ct_ints shape, ct_tensor weight, ct_tensor bias, double eps,
                        ct_tensor *out);
ct_status ct_dropout(ct_tensor x, double p, ct_generator g, ct_tensor *out);
ct_status ct_embedding(ct_tensor indices, ct_tensor weight, int64_t padding_index, ct_tensor *out);
enum { CT_BAG_SUM, CT_BAG_MEAN, CT_BAG_MAX };
// padding_index: negative for none.
ct_status ct_embedding_bag(ct_tensor indices, ct_tensor offsets, ct_tensor weight, int mode,
                           int64_t padding_index, ct_tensor *out);
ct_status ct_upsample_nearest2d(ct_tensor x, ct_ints size, ct_tensor *out);
// targets: int64 classes [N], or probabilities [N, C]; one value per sample.
ct_status ct_cross_entropy(ct_tensor logits, ct_tensor targets, double smoothing, ct_tensor *out);

// ---- searching for images (synthesis.cpp). Both can be differentiated once.
// changes: int64 [N, 3] of (down, right, flipped); pixels outside the image are 0; channels-last.
ct_status ct_window(ct_tensor x, ct_tensor changes, ct_tensor *out);
// Evaluation mode. out[0] the result, out[1] and out[2] mean and biased variance of x per channel.
ct_status ct_probed_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                               ct_tensor variance, double eps, ct_tensor *out);

// ---- optimizers (optimizer.cpp): fused kernels over whole parameter lists, in place
typedef struct {
    double rate, momentum, dampening, weight_decay;
    bool nesterov, first_step;
} ct_sgd;
ct_status ct_sgd_step(ct_tensors parameters, ct_tensors gradients, ct_tensors momenta, ct_sgd options);
typedef struct {
    double rate, beta1, beta2, eps, weight_decay;
    bool decoupled;
} ct_adam;
ct_status ct_adam_step(ct_tensors parameters, ct_tensors gradients, ct_tensors means, ct_tensors squares,
                       ct_tensors steps, ct_adam options);
ct_status ct_lerp(ct_tensors targets, ct_tensors sources, double weight);
ct_status ct_clip_norm(ct_tensors gradients, double limit, double *norm);

#ifdef __cplusplus
}
#endif
#endif
