import Diagnostics
import Torch

/// Changes parameters in place along their gradients.
///
/// All state exists from construction on, as zeros laid out in memory like its parameter, so that
/// a checkpoint has the same tensors after any number of steps. A parameter without a gradient is
/// skipped, state included, like in PyTorch.
public protocol Optimizer: AnyObject {
    var parameters: [(name: String, tensor: Tensor)] { get }
    var options: OptimizerOptions { get }

    /// What a checkpoint must hold: `<parameter>.momentum` for SGD; `<parameter>.mean`,
    /// `<parameter>.square`, `<parameter>.step` for Adam. These are the live tensors.
    var state: [(name: String, tensor: Tensor)] { get }

    /// - Parameter parameters: leaves, with distinct names.
    init(parameters: [(name: String, tensor: Tensor)], options: OptimizerOptions)

    /// Applies the rule to the parameters at `indices`.
    /// - Parameter gradients: one for each index.
    func update(_ indices: [Int], gradients: [Tensor], learningRate: Double, weightDecay: Double)
}

extension Optimizer {
    /// One update from the parameters' gradients, which are clipped in place first if the options
    /// ask for it.
    ///
    /// - Parameter learningRate: that of this step, the schedule's factor included.
    /// - Returns: the joint norm of the gradients before clipping; `nil` without clipping.
    @discardableResult
    public func step(learningRate: Double) -> Double? {
        var live: [(index: Int, gradient: Tensor)] = []
        for (index, parameter) in parameters.enumerated() {
            if let gradient = parameter.tensor.gradient { live.append((index, gradient)) }
        }
        let norm = options.clipNorm.map { Updates.clipNorm(live.map(\.gradient), to: $0) }
        let isDecayed = { (index: Int) in
            self.options.decayNormAndBias || self.parameters[index].tensor.rank > 1
        }
        for (part, decay) in [
            (live.filter { isDecayed($0.index) }, options.weightDecay),
            (live.filter { !isDecayed($0.index) }, 0),
        ] where !part.isEmpty {
            update(
                part.map(\.index), gradients: part.map(\.gradient), learningRate: learningRate,
                weightDecay: decay)
        }
        return norm
    }

    public func clearGradients() { for (_, tensor) in parameters { tensor.clearGradient() } }

    /// Takes over saved state, all or nothing. Names, shapes and dtypes must be those of `state`.
    /// - Parameter source: where it comes from, for the message.
    public func load(state saved: [String: Tensor], source: String? = nil) throws(Problem) {
        try restore(state, from: saved, owner: "the optimizer", source: source)
    }
}

/// Copies `saved` into `targets` if their names, shapes and dtypes are the same; else throws and
/// changes nothing.
func restore(
    _ targets: [(name: String, tensor: Tensor)], from saved: [String: Tensor], owner: String,
    source: String?
) throws(Problem) {
    for (name, target) in targets {
        let expected = "\(target.dtype) \(target.shape)"
        let found = saved[name].map { "\($0.dtype) \($0.shape)" }
        guard found == expected else {
            throw .savedStateDiffers(
                owner, name, found: found ?? "no such tensor", expected: expected, source: source)
        }
    }
    if let extra = Set(saved.keys).subtracting(targets.map(\.name)).min() {
        throw .savedStateDiffers(
            owner, extra, found: "a tensor more", expected: "only tensors of the state",
            source: source)
    }
    for (name, target) in targets { target.copy(from: saved[name]!) }
}
