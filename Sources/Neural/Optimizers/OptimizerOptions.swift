import Diagnostics
import Torch

/// Which update rule, and its hyper-parameters. The rules are those of PyTorch's `torch.optim`.
///
/// - SGD: H. Robbins and S. Monro, *A stochastic approximation method*, 1951; momentum: B. T. Polyak,
///   *Some methods of speeding up the convergence of iteration methods*, 1964, in the form of
///   I. Sutskever et al., *On the importance of initialization and momentum in deep learning*, 2013.
/// - Nesterov momentum: Yu. Nesterov, *A method of solving a convex programming problem with
///   convergence rate O(1/k²)*, 1983.
/// - Adam: D. P. Kingma and J. Ba, *Adam: a method for stochastic optimization*, 2015.
/// - AdamW: I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, 2019.
/// - Clipping by norm: R. Pascanu et al., *On the difficulty of training recurrent neural
///   networks*, 2013.
public struct OptimizerOptions: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// The strong choice for convolutional networks, with `learning-rate` .1 and momentum.
        case sgd
        /// Adam with L2 regularisation, that is, decay passes through the moments.
        case adam
        /// Adam with decoupled decay: prefer it to `adam` whenever `weight-decay` is not 0.
        case adamw
    }

    public var kind: Kind

    /// The base learning rate, above 0; the schedule multiplies it.
    /// Default: .1 for sgd, .001 for adam and adamw. The first thing to tune; scale it with the
    /// batch size.
    public var learningRate: Double

    /// μ of sgd, in [0, 1). Default .9. Ignored by adam and adamw.
    public var momentum: Double

    /// Look-ahead momentum; needs `momentum` above 0. Default false; costs nothing and helps a
    /// little in long schedules.
    public var nesterov: Bool

    /// Weight decay, at least 0. Default 0, and .01 for adamw.
    /// For sgd on small images 1e-4 to 5e-4; under label noise larger values are the cheapest
    /// regulariser there is: try up to 5e-3.
    public var weightDecay: Double

    /// Decay rate of Adam's mean of gradients, in [0, 1). Default .9.
    public var beta1: Double

    /// Decay rate of Adam's mean of squared gradients, in [0, 1). Default .999; .95 to .99 recovers
    /// faster from spikes.
    public var beta2: Double

    /// Added to Adam's denominator, above 0. Default 1e-8.
    public var eps: Double

    /// Largest joint Euclidean norm of all gradients, above 0; `nil` does not clip. Default `nil`;
    /// 1 to 5 tames rare bad batches.
    public var clipNorm: Double?

    /// Whether weight decay also applies to parameters of rank 0 and 1, which are biases and the
    /// scales and shifts of norms. Default true, as PyTorch scripts do.
    public var decayNormAndBias: Bool

    /// What is `nil` takes the default of `kind`.
    public init(
        kind: Kind = .sgd, learningRate: Double? = nil, momentum: Double = 0.9,
        nesterov: Bool = false,
        weightDecay: Double? = nil, beta1: Double = 0.9, beta2: Double = 0.999,
        eps: Double = 1e-8, clipNorm: Double? = nil, decayNormAndBias: Bool = true
    ) {
        self.kind = kind
        self.learningRate = learningRate ?? (kind == .sgd ? 0.1 : 0.001)
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay ?? (kind == .adamw ? 0.01 : 0)
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.clipNorm = clipNorm
        self.decayNormAndBias = decayNormAndBias
    }

    /// The keys of a recipe.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, momentum, nesterov
        case learningRate = "learning-rate"
        case weightDecay = "weight-decay"
        case beta1, beta2, eps
        case clipNorm = "clip-norm"
        case decayNormAndBias = "decay-norm-and-bias"
    }

    /// Absent keys take their defaults.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            kind: try box.decodeIfPresent(Kind.self, forKey: .kind) ?? .sgd,
            learningRate: try box.decodeIfPresent(Double.self, forKey: .learningRate),
            momentum: try box.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.9,
            nesterov: try box.decodeIfPresent(Bool.self, forKey: .nesterov) ?? false,
            weightDecay: try box.decodeIfPresent(Double.self, forKey: .weightDecay),
            beta1: try box.decodeIfPresent(Double.self, forKey: .beta1) ?? 0.9,
            beta2: try box.decodeIfPresent(Double.self, forKey: .beta2) ?? 0.999,
            eps: try box.decodeIfPresent(Double.self, forKey: .eps) ?? 1e-8,
            clipNorm: try box.decodeIfPresent(Double.self, forKey: .clipNorm),
            decayNormAndBias: try box.decodeIfPresent(Bool.self, forKey: .decayNormAndBias) ?? true)
    }

    /// Refuses values out of range, naming the key below `place`.
    public func validate(at place: Problem.Place? = nil) throws(Problem) {
        func require(_ key: CodingKeys, _ value: Double, _ range: String, _ ok: Bool)
            throws(Problem)
        {
            guard ok, value.isFinite else {
                throw .outOfRange(key.rawValue, value, range, at: place)
            }
        }
        try require(.learningRate, learningRate, "above 0", learningRate > 0)
        try require(.momentum, momentum, "in [0, 1)", momentum >= 0 && momentum < 1)
        try require(.weightDecay, weightDecay, "at least 0", weightDecay >= 0)
        try require(.beta1, beta1, "in [0, 1)", beta1 >= 0 && beta1 < 1)
        try require(.beta2, beta2, "in [0, 1)", beta2 >= 0 && beta2 < 1)
        try require(.eps, eps, "above 0", eps > 0)
        if let clipNorm { try require(.clipNorm, clipNorm, "above 0", clipNorm > 0) }
        if nesterov, kind == .sgd, momentum == 0 { throw .nesterovWithoutMomentum(at: place) }
    }

    /// The optimizer of this kind over `parameters`.
    public func make(over parameters: [(name: String, tensor: Tensor)]) -> any Optimizer {
        switch kind {
        case .sgd: SGD(parameters: parameters, options: self)
        case .adam, .adamw: Adam(parameters: parameters, options: self)
        }
    }
}
