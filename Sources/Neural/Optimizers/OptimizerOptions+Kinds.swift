import Torch

extension OptimizerOptions {
    /// Stochastic gradient descent.
    public static func sgd(
        learningRate: Double = 0.1, momentum: Double = 0.9, nesterov: Bool = false,
        weightDecay: Double = 0
    ) -> OptimizerOptions {
        OptimizerOptions(
            kind: .sgd, learningRate: learningRate, momentum: momentum, nesterov: nesterov,
            weightDecay: weightDecay)
    }

    /// Adam with L2 regularisation.
    public static func adam(
        learningRate: Double = 0.001, weightDecay: Double = 0
    ) -> OptimizerOptions {
        OptimizerOptions(kind: .adam, learningRate: learningRate, weightDecay: weightDecay)
    }

    /// Adam with decoupled weight decay.
    public static func adamw(
        learningRate: Double = 0.001, weightDecay: Double = 0.01
    ) -> OptimizerOptions {
        OptimizerOptions(kind: .adamw, learningRate: learningRate, weightDecay: weightDecay)
    }
}

extension SGD {
    /// - Parameter parameters: leaves, with distinct names: a module's `parameters`.
    public convenience init(
        _ parameters: [(name: String, tensor: Tensor)], learningRate: Double,
        momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
    ) {
        self.init(
            parameters: parameters,
            options: .sgd(
                learningRate: learningRate, momentum: momentum, nesterov: nesterov,
                weightDecay: weightDecay))
    }
}

extension Adam {
    /// - Parameter parameters: leaves, with distinct names: a module's `parameters`.
    public convenience init(
        _ parameters: [(name: String, tensor: Tensor)], learningRate: Double = 0.001,
        weightDecay: Double = 0
    ) {
        self.init(
            parameters: parameters,
            options: .adam(learningRate: learningRate, weightDecay: weightDecay))
    }
}

extension Optimizer {
    /// One update at the options' own learning rate.
    ///
    /// - Returns: the joint norm of the gradients before clipping; nil without clipping.
    @discardableResult
    public func step() -> Double? { step(learningRate: options.learningRate) }
}

extension Mode {
    /// Training, with dropout drawn from a seed: give every step another one.
    public static func train(seed: UInt64, on device: Device = .cpu) -> Mode {
        .train(Generator(seed: seed, device: device))
    }
}
