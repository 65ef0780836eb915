import Diagnostics
import Models
import Neural

/// A way to train: its options, and the phases that it is.
///
/// A recipe names one under `method.name`; its other keys there are the method's own. To add one, write it
/// in a file of its own (options, targets, objectives) and add its type to `MethodRegistry.standard`.
public protocol Method: Advisable, Codable, Equatable, Sendable {
    /// What a recipe calls it.
    static var name: String { get }
    /// What it does, in one sentence without an end.
    static var summary: String { get }
    /// Options under a name, for the settings of its paper and code.
    static var presets: [MethodPreset] { get }
    /// Whether its students see the samples of the data. A method that makes its own can do without any.
    static var learnsFromData: Bool { get }
    /// Which of the weights of a network that it trains first are asked for; the recipe has to keep them.
    var asksFor: [TeacherWeights] { get }
    /// Files that it reads.
    var files: [String] { get }
    /// The networks of its students.
    func students(_ recipe: Recipe) -> [ModelSpec]
    /// Fills in what the recipe leaves open and the method decides.
    func resolve(_ recipe: inout Recipe)
    /// What the phases after the first train with where a recipe names no optimizer: the paper's values.
    var usualLater: LaterOptions { get }
    /// Fills in what the files say that the recipe names.
    func completed(_ recipe: Recipe) throws(Problem) -> Recipe
    /// Refuses what can be seen to be wrong without data.
    func check(_ recipe: Recipe) throws(Problem)
    /// The phases, in an order in which each comes after those whose weights it needs.
    func phases(_ plan: PhasePlanner) throws -> [PhaseSpec]
}

extension Method {
    public static var summary: String { "" }
    public static var presets: [MethodPreset] { [] }
    public static func advice(_ facts: DataFacts) -> MethodAdvice? { nil }
    public static var learnsFromData: Bool { true }
    public var asksFor: [TeacherWeights] { [] }
    public var files: [String] { [] }
    public func students(_ recipe: Recipe) -> [ModelSpec] { [recipe.model] }
    public func resolve(_ recipe: inout Recipe) {}
    public var usualLater: LaterOptions { .init() }
    public func completed(_ recipe: Recipe) throws(Problem) -> Recipe { recipe }
    public func check(_ recipe: Recipe) throws(Problem) {}
}

/// Makes the phases of a recipe: every one with the recipe's data, noise and settings, but for what its
/// method says.
public struct PhasePlanner {
    public internal(set) var recipe: Recipe
    /// Of the samples and their given labels.
    let dataHash: String
    let compute: ComputeOptions
    /// SHA-256 of a file.
    public let fileHash: (String) throws -> String
    /// What guides the students beside their method.
    var guidance: ((inout PhaseSpec) -> Void)?

    /// - Parameters:
    ///   - name: `student`, `teacher`, `stage-1`, …: that of the phase's folder.
    ///   - index: of the phase; what is random in it derives from it and the seed. Those above 0 follow
    ///     the recipe's `later`.
    ///   - model: the recipe's if nil.
    ///   - start: weights to begin from instead of fresh ones.
    ///   - isGuided: whether the recipe's relations guide its students. A teacher's do not.
    public func phase(
        _ name: String, _ index: Int = 0, _ target: any PhaseTarget, model: ModelSpec? = nil,
        learners: [LearnerSpec]? = nil, start: WeightSource? = nil, isGuided: Bool = true
    ) -> PhaseSpec {
        var (optimizer, training) = (recipe.optimizer, recipe.training)
        if index > 0 {
            training.epochs = recipe.later.epochs ?? training.epochs
            optimizer.learningRate = recipe.later.learningRate ?? optimizer.learningRate
            optimizer.weightDecay = recipe.later.weightDecay ?? optimizer.weightDecay
        }
        let own = LearnerSpec(
            model: model ?? recipe.model, optimizer: optimizer, schedule: recipe.schedule)
        var spec = PhaseSpec(
            name: name, index: index, seed: recipe.seed, data: recipe.data, dataHash: dataHash,
            noise: recipe.noise, target: AnyTarget(target), learners: learners ?? [own],
            start: start.map { .init(source: $0) }, training: training, compute: compute)
        if isGuided { guidance?(&spec) }
        return spec
    }

    /// What a network that learns beside others is, where the recipe's settings are not its own.
    public func learner(
        _ peer: PeersOptions.Peer, optimizer: OptimizerOptions? = nil
    ) -> LearnerSpec {
        LearnerSpec(
            model: peer.model ?? recipe.model,
            optimizer: peer.optimizer ?? optimizer ?? recipe.optimizer,
            schedule: peer.schedule ?? recipe.schedule)
    }

    /// Networks that learn side by side in one phase, each as its entry says.
    ///
    /// - Parameter index: of the phase, above 0 where others are trained first.
    public func peers(
        _ peers: PeersOptions, _ target: any PhaseTarget, index: Int = 0
    ) -> PhaseSpec {
        var spec = phase("peers", index, target, learners: peers.each.map { learner($0) })
        spec.drawsNoisePerLearner = peers.noisePerPeer
        return spec
    }
}
