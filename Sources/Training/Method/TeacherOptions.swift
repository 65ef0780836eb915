import Diagnostics
import Models

/// Which weights of a finished phase the next one learns from.
public enum TeacherWeights: String, Codable, Sendable, CaseIterable {
    /// Best on the validation split: early stopping for the teacher.
    case selected
    /// After the last epoch.
    case last
    case emaSelected = "ema-selected"
    case emaLast = "ema-last"

    var isEMA: Bool { self == .emaSelected || self == .emaLast }
}

/// A network that others learn from: trained here first, by any method, or brought as a file.
///
///     teacher: {model: {name: resnet20}, method: {name: early-learning}}
public struct TeacherOptions: Codable, Equatable, Sendable {
    /// Its network; the student's if not given.
    public var model: ModelSpec?
    /// A safetensors file with the weights of `model`; if not given, the teacher is trained on the same
    /// (noisy) labels.
    public var file: String?
    /// What it is trained with: cross-entropy if not given.
    public var method: AnyMethod?
    /// Which weights of the trained teacher are used.
    public var weights: TeacherWeights

    public init(
        model: ModelSpec? = nil, file: String? = nil, method: (any Method)? = nil,
        weights: TeacherWeights = .selected
    ) {
        self.model = model
        self.file = file
        self.method = method.map(AnyMethod.init)
        self.weights = weights
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decodeIfPresent(ModelSpec.self, forKey: .model)
        file = try values.decodeIfPresent(String.self, forKey: .file)
        method = try values.decodeIfPresent(AnyMethod.self, forKey: .method)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case model, file, method, weights }
}

extension TeacherOptions {
    /// Which weights of networks that are trained first are asked for.
    var asksFor: [TeacherWeights] {
        file == nil ? [weights] + (method?.base.asksFor ?? []) : []
    }
    var files: [String] { [file].compactMap(\.self) + (method?.base.files ?? []) }

    /// - Parameter place: of the teacher in the recipe: "method.teacher".
    func check(_ recipe: Recipe, at place: String) throws(Problem) {
        if let model { try recipe.check(model, at: "\(place).") }
        guard let method else { return }
        guard file == nil else {
            throw .outOfRange(
                "\(place).method", found: "a method beside a file", expected: "one of the two")
        }
        guard method.learnsFromData else {
            throw .outOfRange(
                "\(place).method", found: method.name,
                expected: "a method that learns from the data"
            )
        }
        var its = recipe
        its.method = method
        its.model = model ?? recipe.model
        do { try method.base.check(its) } catch {
            var problem = error
            let detail = problem.place?.detail ?? []
            problem.place?.detail = detail.map {
                $0.hasPrefix("method.") ? "\(place).\($0)" : $0
            }
            throw problem
        }
    }
}

extension PhasePlanner {
    /// A teacher from a file, or the phases that train one on the given labels, the last of which is it.
    ///
    /// Phases are those that its method has by itself: a comparison with a row of it trains them once. A
    /// phase that learns from the teacher comes behind them: its index is their count.
    ///
    /// - Parameters:
    ///   - name: of the last phase; those before it have it in front of their names.
    ///   - seed: added to the recipe's, for a teacher that another one of its kind stands beside.
    public func teacher(
        _ options: TeacherOptions, name: String = "teacher", isGuided: Bool = false,
        seed: UInt64 = 0
    ) throws -> (phases: [PhaseSpec], source: WeightSource) {
        let network = options.model ?? recipe.model
        if let file = options.file {
            return ([], .file(path: file, sha256: try fileHash(file), network))
        }
        var own = self
        own.recipe.model = network
        own.recipe.seed &+= seed
        if !isGuided { own.guidance = nil }
        var phases = try (options.method?.base ?? CrossEntropy()).phases(own)
        for i in phases.indices.dropLast() { phases[i].name = "\(name)-\(phases[i].name)" }
        phases[phases.count - 1].name = name
        return (phases, .phase(key: phases.last!.key, options.weights))
    }
}
