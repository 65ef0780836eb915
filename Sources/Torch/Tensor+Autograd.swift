import CTorch

extension Tensor {
    /// Whether gradients flow to this tensor. Set it on leaves only.
    public var requiresGrad: Bool {
        get { handle.map { ct_requires_grad($0) } ?? false }
        set { mutate("requiresGrad") { ct_set_requires_grad($0, newValue) } }
    }

    /// What `backward` has summed here; `nil` before the first.
    public var gradient: Tensor? {
        guard let handle else { return nil }
        var out: ct_tensor?
        guard Engine.check(ct_gradient(handle, &out), "gradient", [self]), let out else {
            return nil
        }
        return Tensor(owning: out)
    }

    public func clearGradient() { mutate("clearGradient") { ct_clear_gradient($0) } }

    /// Adds the gradient of this scalar to every leaf it depends on.
    public func backward() { mutate("backward") { ct_backward($0) } }

    /// ∂`of`/∂`leaves`, without touching any `gradient`. A leaf that `of` does not depend on gets
    /// zeros. With `createGraph` the results can be differentiated again.
    ///
    /// - Parameters:
    ///   - of: a scalar, or any shape together with `seed` of that shape (vector–Jacobian product).
    ///   - retainGraph: keep `of`'s graph for another call.
    public static func gradients(
        of: Tensor, with leaves: [Tensor], seed: Tensor? = nil, createGraph: Bool = false,
        retainGraph: Bool = false
    ) -> [Tensor] {
        let poison = leaves.map { _ in Tensor.poisoned }
        if of.isPoisoned || leaves.contains(where: \.isPoisoned) || seed?.isPoisoned == true {
            return poison
        }
        var out = [ct_tensor?](repeating: nil, count: leaves.count)
        let status = leaves.asTensors { list in
            ct_grad(of.handle, list, seed?.handle, createGraph, retainGraph, &out)
        }
        guard Engine.check(status, "gradients", [of] + leaves) else { return poison }
        return zip(out, leaves).map { handle, leaf in
            handle.map { Tensor(owning: $0) }
                ?? .zeros(leaf.shape, dtype: leaf.dtype, device: leaf.device)
        }
    }

    /// These values as a function of `input`, with the derivative that the caller computed: for
    /// losses whose gradient has a closed form. Neither is recorded, so a few operators do what a
    /// graph would.
    ///
    ///     backward:  ∂L/∂input[i, …] = ∂L/∂values[i] · gradient[i, …]
    ///
    /// - Parameters:
    ///   - input: [N, …]; what the values were computed from. Where it is lower in precision than
    ///     `gradient`, backward rounds once, at the end.
    ///   - gradient: ∂values[i]/∂input[i, …], the shape of `input`. A value must depend on no other
    ///     row than its own.
    /// - Returns: `self` [N], connected. It can be differentiated once: `createGraph` is an error.
    public func attached(to input: Tensor, gradient: Tensor) -> Tensor {
        Tensor.make("attached", self, input, gradient) {
            ct_attach(input.handle, handle, gradient.handle, $0)
        }
    }
}
