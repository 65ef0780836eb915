#include "shim.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

ct_status ct_generator_new(uint64_t seed, int device, int index, ct_generator *out) {
    return shim::guarded([&] {
        at::Generator g = device == CT_CPU
                              ? at::detail::createCPUGenerator(seed)
                              : at::globalContext().defaultGenerator(shim::device(device, index)).clone();
        g.set_current_seed(seed);
        *out = new ct_generator_box{g};
        shim::count_handles(1);
    });
}

void ct_generator_free(ct_generator g) {
    delete g;
    shim::count_handles(-1);
}

ct_status ct_fill_normal(ct_tensor t, double mean, double sd, ct_generator g) {
    CT_RUN(at::NoGradGuard guard; shim::get(t).normal_(mean, sd, g->value));
}
ct_status ct_fill_uniform(ct_tensor t, double low, double high, ct_generator g) {
    CT_RUN(at::NoGradGuard guard; shim::get(t).uniform_(low, high, g->value));
}
ct_status ct_fill_bernoulli(ct_tensor t, double p, ct_generator g) {
    CT_RUN(at::NoGradGuard guard; shim::get(t).bernoulli_(p, g->value));
}
