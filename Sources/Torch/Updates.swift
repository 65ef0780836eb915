import CTorch

/// Fused in-place updates over whole parameter lists: one call an optimizer step. The update rules
/// are PyTorch's; `Neural` wraps them with their options and state. Gradients and state may lie in
/// memory differently from their parameter; state is then laid out like the parameter for good.
public enum Updates {
    /// v ← μ v + (1 − τ)(g + wd·p);  p ← p − η · (nesterov ? g + μ v : v).  On the first step v ← g.
    /// With μ = 0 there is no v and `momenta` is ignored.
    public static func sgd(
        _ parameters: [Tensor], _ gradients: [Tensor], momenta: [Tensor], learningRate: Double,
        momentum: Double, dampening: Double = 0, weightDecay: Double, nesterov: Bool,
        firstStep: Bool
    ) {
        run("sgd", parameters + gradients + momenta) {
            parameters.asTensors { p in
                gradients.asTensors { g in
                    momenta.asTensors { m in
                        ct_sgd_step(
                            p, g, m,
                            ct_sgd(
                                rate: learningRate, momentum: momentum, dampening: dampening,
                                weight_decay: weightDecay, nesterov: nesterov, first_step: firstStep
                            ))
                    }
                }
            }
        }
    }

    /// Adam, or AdamW when `decoupled`. `steps` are float32 scalars, counted up here.
    public static func adam(
        _ parameters: [Tensor], _ gradients: [Tensor], means: [Tensor], squares: [Tensor],
        steps: [Tensor], learningRate: Double, beta1: Double, beta2: Double, eps: Double,
        weightDecay: Double, decoupled: Bool
    ) {
        run("adam", parameters + gradients + means + squares + steps) {
            parameters.asTensors { p in
                gradients.asTensors { g in
                    means.asTensors { m in
                        squares.asTensors { v in
                            steps.asTensors { s in
                                ct_adam_step(
                                    p, g, m, v, s,
                                    ct_adam(
                                        rate: learningRate, beta1: beta1, beta2: beta2, eps: eps,
                                        weight_decay: weightDecay, decoupled: decoupled))
                            }
                        }
                    }
                }
            }
        }
    }

    /// targets ← targets + weight · (sources − targets), floating-point tensors only.
    public static func lerp(_ targets: [Tensor], toward sources: [Tensor], by weight: Double) {
        run("lerp", targets + sources) {
            targets.asTensors { t in sources.asTensors { ct_lerp(t, $0, weight) } }
        }
    }

    /// Scales the gradients by limit / (norm + 10⁻⁶) if that is below 1, where norm is their joint
    /// Euclidean norm; returns that norm.
    public static func clipNorm(_ gradients: [Tensor], to limit: Double) -> Double {
        var norm = Double.nan
        run("clipNorm", gradients) { gradients.asTensors { ct_clip_norm($0, limit, &norm) } }
        return norm
    }

    private static func run(_ name: String, _ tensors: [Tensor], _ call: () -> ct_status) {
        if tensors.contains(where: \.isPoisoned) { return }
        Engine.check(call(), name, Array(tensors.prefix(1)))
    }
}
