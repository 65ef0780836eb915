// LibTorch is C++: Swift never imports it. This module only carries the compiler and
// linker flags of `.torch/libtorch.pc` to the CTorch target.
