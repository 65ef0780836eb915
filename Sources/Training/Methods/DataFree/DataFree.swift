import Datasets
import Diagnostics
import Distillation
import LabelText
import Models

/// The options of `method: {name: data-free, …}`: a teacher, how images are made out of it, and how
/// students learn from them.
public struct DataFree: Method {
    public static let name = "data-free"
    public static let summary = "trains students on images that are made out of a teacher"

    /// Constants that stand between pixels in [0, 1] and the teacher.
    public enum Constants: Equatable, Sendable {
        /// Per channel, as the teacher was trained with.
        case given(mean: [Float], std: [Float])
        /// Unknown: learnt beside the generator.
        case learnt
    }

    public var teacher: TeacherOptions
    public var synthesis: SynthesisOptions
    /// What NAYER's generator is told of the classes.
    public var embeddings: EmbeddingOptions
    /// Nil: those that the teacher's file names, or those of its training data.
    public var normalisation: Constants?
    /// Steps of the students per epoch. 400 in the papers.
    public var stepsPerEpoch: Int
    public var objective: DataFreeObjectiveOptions
    /// Several students, which teach one another beside; nil: one.
    public var peers: PeersOptions?

    public init(teacher: TeacherOptions = .init(), synthesis: SynthesisOptions = .init()) {
        self.teacher = teacher
        self.synthesis = synthesis
        embeddings = .oneHot
        stepsPerEpoch = 400
        objective = .init()
    }
}

extension DataFree {
    public static var learnsFromData: Bool { false }
    public var asksFor: [TeacherWeights] { teacher.asksFor }
    public var files: [String] { teacher.files + embeddings.files }

    /// The papers' student: NAYER's scripts and those of Fast-DFKD have these.
    public var usualLater: LaterOptions {
        var later = LaterOptions()
        (later.learningRate, later.weightDecay) = (0.2, 1e-4)
        return later
    }

    public func students(_ recipe: Recipe) -> [ModelSpec] {
        peers?.models(in: recipe) ?? [recipe.model]
    }

    /// Shape and classes of images that nobody has, from the teacher's file where the recipe leaves
    /// them out.
    public func completed(_ recipe: Recipe) throws(Problem) -> Recipe {
        guard var data = recipe.data.source as? NoSource, let file = teacher.file,
            data.imageShape == nil || data.classNames == nil,
            let card = try ModelCard(ifIn: file)
        else { return recipe }
        data.imageShape = data.imageShape ?? card.sampleShape
        data.classNames = data.classNames ?? card.classNames
        var recipe = recipe
        recipe.data.source = data
        return recipe
    }

    public func check(_ recipe: Recipe) throws(Problem) {
        try teacher.check(recipe, at: "method.teacher")
        if let peers { try recipe.check(peers) }
        guard !recipe.data.source.hasSamples else { return }
        guard teacher.file != nil else { throw .teacherMissing() }
        guard recipe.noise.kind == .clean else {
            throw .noiseWithoutData(recipe.noise.kind.rawValue)
        }
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let files = synthesis.method == .nayer ? embeddings.files : []
        let hash = files.isEmpty ? nil : try files.map(plan.fileHash).joined(separator: "+")
        let (teachers, source) = try plan.teacher(teacher)
        let target = Target(options: self, teacher: source, embeddingsHash: hash)
        var spec = plan.phase("student", max(1, teachers.count), target)
        if let peers {
            let optimizer = spec.learners[0].optimizer
            spec.learners = peers.each.map { plan.learner($0, optimizer: optimizer) }
            spec.name = "students"
        }
        return teachers + [spec]
    }

    /// A teacher, on images that are made out of it.
    struct Target: PhaseTarget {
        static let name = "data-free"
        var options: DataFree
        var teacher: WeightSource
        var embeddingsHash: String?
        var sources: [WeightSource] { [teacher] }
        var traits: PhaseTraits { PhaseTraits(makesSamples: true) }

        func check(_ data: PreparedData) throws(Problem) {
            guard data.sampleShape.count == 3 else { throw .notImages(data.sampleShape) }
        }

        func stepsPerEpoch(samples: Int, batch: Int) -> Int { options.stepsPerEpoch }

        /// Normalised as the teacher was trained.
        ///
        /// Constants of the recipe count most, then those of the teacher's file, then those of its
        /// training data. Learnt ones begin at 0.5 and 0.2.
        func prepared(_ data: PreparedData) throws(Problem) -> PreparedData {
            var data = data
            let channels = data.sampleShape[0]
            var file: String?
            if case .file(let path, _, _) = teacher { file = path }
            let card = try file.flatMap { (path) throws(Problem) in try ModelCard(ifIn: path) }
            if let card, let file { try card.checkFits(data, file: file) }
            switch options.normalisation {
            case .given(let mean, let std):
                guard mean.count == channels else {
                    throw .normalisationCount(mean.count, channels)
                }
                data.normalisation = try Normalisation(mean: mean, std: std)
            case .learnt:
                data.normalisation = try Normalisation(
                    mean: [Float](repeating: 0.5, count: channels),
                    std: [Float](repeating: 0.2, count: channels))
            case nil:
                if let card {
                    data.normalisation = card.normalisation
                } else if file != nil {
                    throw .normalisationUnknown(file)
                }
            }
            return data
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let frozen = try phase.frozen(teacher)
            let scores = phase.data.isPlaceholder ? nil : try phase.scores(frozen)
            let probed = try phase.frozen(teacher, folding: false)
            return DataFreeObjective(
                options.objective, teacher: TeacherOutputs(frozen), scores: scores,
                pass: try SynthesisPass(options, teacher: probed, phase))
        }
    }
}
