import Diagnostics

// In a recipe: `loss: gce`, or `loss: {name: sce, alpha: 0.1, beta: 1}`.
extension LabelLoss: Codable {
    enum Name: String, Codable, CaseIterable {
        case crossEntropy = "cross-entropy"
        case gce, sce
        case bootstrapSoft = "bootstrap-soft"
        case bootstrapHard = "bootstrap-hard"
        case forward, backward
        case confidencePenalty = "confidence-penalty"
    }
    private enum Keys: String, CodingKey {
        case name, smoothing, q, alpha, beta, transition, weight
        case over = "smoothing-over"
        case logZero = "log-zero"
        case stopsGradient = "stop-gradient"
    }
    /// What `log-zero` may say instead of a number.
    private enum Floor: String { case paper, code }

    var code: Name {
        switch self {
        case .crossEntropy: .crossEntropy
        case .generalised: .gce
        case .symmetric: .sce
        case .bootstrapSoft: .bootstrapSoft
        case .bootstrapHard: .bootstrapHard
        case .forward: .forward
        case .backward: .backward
        case .confidencePenalty: .confidencePenalty
        }
    }

    public init(from decoder: any Decoder) throws {
        let (name, values) = try NamedLoss.decode(Name.self, Keys.name, from: decoder)
        func number(
            _ key: Keys, _ standard: Double, _ expected: String, _ isValid: (Double) -> Bool
        ) throws -> Double {
            try NamedLoss.number(key, or: standard, in: values, expected, where: isValid)
        }
        func share(_ standard: Double) throws -> Double {
            try number(.beta, standard, "above 0 and at most 1") { 0 < $0 && $0 <= 1 }
        }
        func transition() throws -> Transition {
            guard let found = try values?.decodeIfPresent(Transition.self, forKey: .transition)
            else { throw Problem.transitionMissing(decoder.codingPath.map(\.stringValue)) }
            return found
        }
        switch name {
        case .crossEntropy:
            let smoothing = try number(.smoothing, 0, "0 <= smoothing < 1") { 0 <= $0 && $0 < 1 }
            let over = try values?.decodeIfPresent(Smoothing.self, forKey: .over) ?? .all
            self = .crossEntropy(smoothing: smoothing, over: smoothing == 0 ? .all : over)
        case .gce:
            self = .generalised(
                q: try number(.q, 0.7, "above 0 and at most 1") { 0 < $0 && $0 <= 1 })
        case .sce:
            let alpha = try number(.alpha, 0.1, "0 or more") { $0 >= 0 && $0.isFinite }
            self = .symmetric(
                alpha: alpha,
                beta: try number(.beta, 1, alpha > 0 ? "0 or more" : "above 0, as alpha is 0") {
                    $0 >= 0 && $0.isFinite && alpha + $0 > 0
                },
                logZero: try LabelLoss.logZero(in: values))
        case .bootstrapSoft:
            self = .bootstrapSoft(
                beta: try share(0.95),
                stopsGradient: try values?.decodeIfPresent(Bool.self, forKey: .stopsGradient)
                    ?? false)
        case .bootstrapHard: self = .bootstrapHard(beta: try share(0.8))
        case .forward: self = .forward(try transition())
        case .backward: self = .backward(try transition())
        case .confidencePenalty:
            self = .confidencePenalty(
                weight: try number(.weight, 0.1, "0 or more") { $0 >= 0 && $0.isFinite })
        }
        let path = decoder.codingPath.map(\.stringValue) + [Keys.transition.rawValue]
        try checkTransition(at: path.joined(separator: "."))
    }

    /// A number below 0, or whose number it is.
    private static func logZero(in values: KeyedDecodingContainer<Keys>?) throws -> Double {
        if let values, let word = try? values.decode(String.self, forKey: .logZero),
            (try? values.decode(Double.self, forKey: .logZero)) == nil
        {
            switch Floor(rawValue: word) {
            case .paper: return paperLogZero
            case .code: return codeLogZero
            case nil:
                throw Problem.outOfRange(
                    (values.codingPath + [Keys.logZero]).map(\.stringValue).joined(separator: "."),
                    found: "\"\(Problem.oneLine(word, limit: 40))\"",
                    expected: "a number below 0, paper (-4) or code (ln 1e-4)")
            }
        }
        return try NamedLoss.number(
            .logZero, or: paperLogZero, in: values, "below 0"
        ) { $0 < 0 && $0.isFinite }
    }

    public func encode(to encoder: any Encoder) throws {
        if self == .crossEntropy() {
            var value = encoder.singleValueContainer()
            return try value.encode(name)
        }
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        switch self {
        case .crossEntropy(let smoothing, let over):
            try values.encode(smoothing, forKey: .smoothing)
            // Left out where it is the usual one: keys of phases trained before stay as they are.
            if over != .all { try values.encode(over, forKey: .over) }
        case .generalised(let q): try values.encode(q, forKey: .q)
        case .symmetric(let alpha, let beta, let logZero):
            try values.encode(alpha, forKey: .alpha)
            try values.encode(beta, forKey: .beta)
            try values.encode(logZero, forKey: .logZero)
        case .bootstrapSoft(let beta, let stopsGradient):
            try values.encode(beta, forKey: .beta)
            try values.encode(stopsGradient, forKey: .stopsGradient)
        case .bootstrapHard(let beta): try values.encode(beta, forKey: .beta)
        case .forward(let transition), .backward(let transition):
            try values.encode(transition, forKey: .transition)
        case .confidencePenalty(let weight): try values.encode(weight, forKey: .weight)
        }
    }
}

extension Problem {
    fileprivate static func transitionMissing(_ path: [String]) -> Problem {
        Problem(
            .data, "missing key \"transition\"", at: Place(detail: [path.joined(separator: ".")]),
            hint: "a row of probabilities per class, or {estimate: anchors}")
    }
}
