import Diagnostics

/// A recipe for wrong labels: which model of label noise, how much of it, from which seed.
///
///     noise:
///       kind: asymmetric
///       rate: 0.4
///       map: cifar10
///
/// Notation of all kinds: T[a][b] = P(given = b | clean = a), rows sum to 1, C classes, N samples,
/// r the `rate`. ``apply(labels:classCount:classNames:features:ids:total:seed:)`` draws the given labels
/// and reports the rate and matrix that came out; nothing here touches a file except kind `file`.
///
/// The recipe says nothing about the network-made noise of Zhang et al. 2021 (PMD) or open-set
/// noise: both need more than labels and inputs.
public struct LabelNoise: Codable, Equatable, Sendable {
    /// The noise models, by their names in a recipe.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Every given label is the clean one. Other keys are ignored, so that noise can be
        /// switched off by one key.
        case clean = "none"
        /// Exclusive symmetric noise, drawn per sample: T_aa = 1 − r, T_ab = r/(C − 1)
        /// (Co-teaching, Han et al. 2018).
        case symmetric
        /// Exactly ⌊rN⌋ samples relabelled uniformly over *all* C classes: T_aa = 1 − r + r/C,
        /// so that the effective rate is r(C − 1)/C (DivideMix, Li et al. 2020; ELR; SOP).
        case symmetricInclusive = "symmetric-inclusive"
        /// T_aa = 1 − r, T_{a,(a+1) mod C} = r, drawn per sample. Sensible up to r = .45.
        case pairflip
        /// Every class of the map turns into its target with probability r, drawn per sample.
        case asymmetric
        /// Exactly ⌊rN⌋ samples chosen among all, then the map applied to those it names
        /// (DivideMix, UNICON). The overall rate is r times the share of the mapped classes.
        case asymmetricGlobal = "asymmetric-global"
        /// Compatibility mode, for comparison with published ELR and SOP numbers only: classes are
        /// relabelled one after the other *in place*, so a sample that already changed can change
        /// again. CIFAR-10 at r = .4: cat 24 %, dog 40 %, overall 18.4 % instead of 20 %.
        case asymmetricInPlace = "asymmetric-elr-inplace"
        /// Instance-dependent noise (PTD; Xia et al. 2020, arXiv 2006.07836): one random
        /// projection per clean class decides which wrong label an input gets.
        case instance
        /// Compatibility mode: the variant of Cheng et al. with a single projection for all
        /// classes and raw 0–255 inputs, where the softmax saturates to one class.
        case instanceShared = "instance-shared"
        /// A transition matrix given row by row.
        case matrix
        /// Class-conditional surrogate of the human labels CIFAR-10N "worst" (Wei et al. 2022):
        /// the published labels' transition matrix, rounded to .001 and renormalised. It has the
        /// matrix of human noise, not its dependence on the image.
        case humanCIFAR10NWorst = "human-cifar10n-worst"
        /// Labels from a CSV file; see ``NoisyLabels/write(to:using:)`` for its shape.
        case file
    }

    /// The recipe's keys, for strict reading.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case kind, rate, map, matrix, path, seed
    }

    /// The inputs that instance-dependent noise looks at.
    public struct Features: Equatable, Sendable {
        /// How a kind wants its inputs.
        public enum Scale: Equatable, Sendable {
            /// Flattened, standardised as the network sees them.
            case normalised
            /// Flattened raw pixels, 0...255.
            case raw
        }

        /// Row-major `[N, dimension]`.
        public var values: [Float]
        public var dimension: Int

        /// `values.count` must be a multiple of `dimension`, which must be positive.
        public init(values: [Float], dimension: Int) {
            precondition(dimension > 0 && values.count % dimension == 0, "rows of equal length")
            self.values = values
            self.dimension = dimension
        }
    }

    public var kind: Kind
    /// r, 0...1.
    public var rate: Double?
    /// Where the classes of asymmetric noise go.
    public var map: Map?
    /// C rows of C probabilities, row = clean class.
    public var matrix: [[Double]]?
    /// A label file, for kind `file`.
    public var path: String?
    /// Seed of the draws; without it the run's seed.
    public var seed: UInt64?

    public init(
        _ kind: Kind, rate: Double? = nil, map: Map? = nil, matrix: [[Double]]? = nil,
        path: String? = nil, seed: UInt64? = nil
    ) {
        self.kind = kind
        self.rate = rate
        self.map = map
        self.matrix = matrix
        self.path = path
        self.seed = seed
    }

    /// Whether this reproduces another code base's quirk rather than a noise model one would
    /// choose: the in-place and shared-projection kinds and the `cifar100-blocks` map.
    public var isCompatibility: Bool {
        switch kind {
        case .asymmetricInPlace, .instanceShared: true
        case .asymmetric, .asymmetricGlobal: map == .cifar100Blocks
        default: false
        }
    }

    /// The inputs this kind needs in `apply`; nil when labels are enough.
    public var needs: Features.Scale? {
        switch kind {
        case .instance: .normalised
        case .instanceShared: .raw
        default: nil
        }
    }
}

extension LabelNoise {
    /// An unknown kind throws `DecodingError.dataCorrupted` whose `underlyingError` is a `Problem`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let word = try container.decode(String.self, forKey: .kind)
        guard let kind = Kind(rawValue: word) else {
            let problem = Problem.unknownNoise(kind: word)
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: container.codingPath + [CodingKeys.kind],
                    debugDescription: problem.description, underlyingError: problem))
        }
        self.init(
            kind, rate: try container.decodeIfPresent(Double.self, forKey: .rate),
            map: try container.decodeIfPresent(Map.self, forKey: .map),
            matrix: try container.decodeIfPresent([[Double]].self, forKey: .matrix),
            path: try container.decodeIfPresent(String.self, forKey: .path),
            seed: try container.decodeIfPresent(UInt64.self, forKey: .seed))
    }
}
