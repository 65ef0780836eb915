import Diagnostics
import Distillation
import Models

/// The method and its own options: `method: {name: …, …}`.
public enum MethodOptions: Equatable, Sendable {
    case crossEntropy(CrossEntropyOptions)
    case distillation(KnowledgeDistillationOptions, TeacherOptions)
    case selfDistillation(SelfDistillationOptions, TeacherWeights)
    case mutual(MutualLearningOptions, PeersOptions)
    case adaptiveMixing(MixingOptions)
    case dataFree(DataFreeOptions)

    public static let names = [
        "cross-entropy", "distillation", "self-distillation", "mutual", "adaptive-mixing",
        "data-free",
    ]

    public var name: String {
        switch self {
        case .crossEntropy: "cross-entropy"
        case .distillation: "distillation"
        case .selfDistillation: "self-distillation"
        case .mutual: "mutual"
        case .adaptiveMixing: "adaptive-mixing"
        case .dataFree: "data-free"
        }
    }
}

extension MethodOptions: Codable {
    private enum Keys: String, CodingKey { case name, teacher, weights }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        let name = try values.decode(String.self, forKey: .name)
        switch name {
        case "cross-entropy": self = .crossEntropy(try CrossEntropyOptions(from: decoder))
        case "distillation":
            self = .distillation(
                try KnowledgeDistillationOptions(from: decoder),
                try values.decodeIfPresent(TeacherOptions.self, forKey: .teacher) ?? .init())
        case "self-distillation":
            self = .selfDistillation(
                try SelfDistillationOptions(from: decoder),
                try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected)
        case "mutual":
            self = .mutual(
                try MutualLearningOptions(from: decoder), try PeersOptions(from: decoder))
        case "adaptive-mixing": self = .adaptiveMixing(try MixingOptions(from: decoder))
        case "data-free": self = .dataFree(try DataFreeOptions(from: decoder))
        default: throw Problem.unknownMethod(name, known: MethodOptions.names)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        switch self {
        case .crossEntropy(let options): try options.encode(to: encoder)
        case .distillation(let options, let teacher):
            try options.encode(to: encoder)
            try values.encode(teacher, forKey: .teacher)
        case .selfDistillation(let options, let weights):
            try options.encode(to: encoder)
            try values.encode(weights, forKey: .weights)
        case .mutual(let options, let peers):
            try options.encode(to: encoder)
            try peers.encode(to: encoder)
        case .adaptiveMixing(let options): try options.encode(to: encoder)
        case .dataFree(let options): try options.encode(to: encoder)
        }
    }
}
