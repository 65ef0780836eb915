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

/// The teacher of `distillation`: trained here first, or brought as a file.
public struct TeacherOptions: Codable, Equatable, Sendable {
    /// Its network; the student's if not given.
    public var model: ModelSpec?
    /// A safetensors file with the weights of `model`; if not given, the teacher is trained with
    /// cross-entropy on the same (noisy) labels.
    public var file: String?
    /// Which weights of the trained teacher are used.
    public var weights: TeacherWeights

    public init(model: ModelSpec? = nil, file: String? = nil, weights: TeacherWeights = .selected) {
        self.model = model
        self.file = file
        self.weights = weights
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decodeIfPresent(ModelSpec.self, forKey: .model)
        file = try values.decodeIfPresent(String.self, forKey: .file)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case model, file, weights }
}

extension TeacherOptions {
    /// Which weights of a network that is trained first are asked for.
    var asksFor: [TeacherWeights] { file == nil ? [weights] : [] }
    var files: [String] { [file].compactMap(\.self) }
}
