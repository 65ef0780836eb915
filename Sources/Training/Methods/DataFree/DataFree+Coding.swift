import Diagnostics
import Distillation
import LabelText

extension DataFree {
    private enum Keys: String, CodingKey {
        case teacher, synthesis, embeddings, normalisation, temperature, divergence
        case peers, mutual
        case stepsPerEpoch = "steps-per-epoch"
        case standardiseLogits = "standardise-logits"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        self.init(
            teacher: try values.decodeIfPresent(TeacherOptions.self, forKey: .teacher) ?? .init(),
            synthesis: try values.decodeIfPresent(SynthesisOptions.self, forKey: .synthesis)
                ?? .init())
        let named = try values.decodeIfPresent(EmbeddingOptions.self, forKey: .embeddings)
        if named != nil, synthesis.method != .nayer {
            throw Problem.embeddingsWithoutUse(synthesis.method.rawValue)
        }
        embeddings = named ?? .oneHot
        normalisation = try values.decodeIfPresent(Constants.self, forKey: .normalisation)
        stepsPerEpoch =
            try values.decodeIfPresent(Int.self, forKey: .stepsPerEpoch) ?? stepsPerEpoch
        guard (1...1_000_000).contains(stepsPerEpoch) else {
            throw Problem.outOfRange(
                "method.steps-per-epoch", found: "\(stepsPerEpoch)", expected: "1 to 1000000")
        }
        objective.temperature =
            try values.decodeIfPresent(Double.self, forKey: .temperature) ?? objective.temperature
        guard objective.temperature > 0, objective.temperature.isFinite else {
            throw Problem.outOfRange(
                "method.temperature", found: "\(objective.temperature)",
                expected: "temperature > 0")
        }
        objective.divergence =
            try values.decodeIfPresent(TeacherLoss.self, forKey: .divergence)
            ?? objective.divergence
        objective.standardiseLogits =
            try values.decodeIfPresent(Bool.self, forKey: .standardiseLogits)
            ?? objective.standardiseLogits
        if values.contains(.peers) {
            peers = try PeersOptions(from: decoder)
            if peers?.noisePerPeer == true {
                throw Problem.outOfRange(
                    "method.noise-per-peer", found: "true",
                    expected: "false: no given labels take part")
            }
        }
        if let mutual = try values.decodeIfPresent(MutualLearningOptions.self, forKey: .mutual) {
            guard peers != nil else {
                throw Problem.outOfRange(
                    "method.mutual", found: "one student", expected: "peers: 2 or more")
            }
            guard mutual.update == .simultaneous, mutual.loss == .crossEntropy() else {
                throw Problem.outOfRange(
                    "method.mutual", found: "update or loss",
                    expected: "simultaneous updates and no loss of labels")
            }
            objective.mutual = mutual
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(teacher, forKey: .teacher)
        try values.encode(synthesis, forKey: .synthesis)
        if synthesis.method == .nayer { try values.encode(embeddings, forKey: .embeddings) }
        try values.encodeIfPresent(normalisation, forKey: .normalisation)
        try values.encode(stepsPerEpoch, forKey: .stepsPerEpoch)
        try values.encode(objective.temperature, forKey: .temperature)
        try values.encode(objective.divergence, forKey: .divergence)
        try values.encode(objective.standardiseLogits, forKey: .standardiseLogits)
        if let peers {
            try peers.encode(to: encoder)
            try values.encode(objective.mutual, forKey: .mutual)
        }
    }
}

// `normalisation: learnt`, or `normalisation: {mean: [0.5], std: [0.2]}`.
extension DataFree.Constants: Codable {
    private enum Keys: String, CodingKey { case mean, std }
    private enum Word: String, Codable, CaseIterable { case learnt }

    public init(from decoder: any Decoder) throws {
        guard let values = try? decoder.container(keyedBy: Keys.self) else {
            _ = try decoder.singleValueContainer().decode(Word.self)
            self = .learnt
            return
        }
        let mean = try values.decode([Float].self, forKey: .mean)
        let std = try values.decode([Float].self, forKey: .std)
        guard !mean.isEmpty, mean.count == std.count, mean.allSatisfy(\.isFinite),
            std.allSatisfy({ $0 > 0 && $0.isFinite })
        else {
            throw Problem.outOfRange(
                "method.normalisation", found: "mean \(mean), std \(std)",
                expected: "one of each per channel, stds above 0")
        }
        self = .given(mean: mean, std: std)
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .learnt:
            var value = encoder.singleValueContainer()
            try value.encode(Word.learnt)
        case .given(let mean, let std):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(mean, forKey: .mean)
            try values.encode(std, forKey: .std)
        }
    }
}
