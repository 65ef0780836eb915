import Datasets
import Diagnostics

/// How a method makes another version of a sample that has the same label: images are shifted and mirrored,
/// tables get noise on their features, words of texts are left out. What is not said follows the data and the
/// recipe's augmentation.
public struct ViewOptions: Codable, Equatable, Sendable {
    /// Images: frame for random crops. Not said: the recipe's, or an eighth of the side where the recipe does
    /// not augment.
    public var padding: Int?
    /// Images: whether some are mirrored. Not said: as the recipe says.
    public var flip: Bool?
    /// Images: resized crops and colours instead. What a strong view is if neither this nor `padding` is said.
    public var image: Views?
    /// Tables: standard deviation of the noise, in standard deviations of a feature. Not said: .1, of a strong
    /// view .25.
    public var noise: Double?
    /// Tables: probability that a feature is replaced by its mean, for features that are embeddings of texts;
    /// not said: 0. Texts: probability that a word is left out; not said: .1, of a strong view .25.
    public var drop: Double?

    public init(
        padding: Int? = nil, flip: Bool? = nil, image: Views? = nil, noise: Double? = nil,
        drop: Double? = nil
    ) {
        self.padding = padding
        self.flip = flip
        self.image = image
        self.noise = noise
        self.drop = drop
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case padding, flip, image, noise, drop }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        padding = try values.decodeIfPresent(Int.self, forKey: .padding)
        flip = try values.decodeIfPresent(Bool.self, forKey: .flip)
        image = try values.decodeIfPresent(Views.self, forKey: .image)
        noise = try values.decodeIfPresent(Double.self, forKey: .noise)
        drop = try values.decodeIfPresent(Double.self, forKey: .drop)
        func refuse(_ key: CodingKeys, _ found: String, _ expected: String) -> Problem {
            let path = (values.codingPath.map(\.stringValue) + [key.rawValue])
            return .outOfRange(path.joined(separator: "."), found: found, expected: expected)
        }
        if let padding, !(0...1024).contains(padding) {
            throw refuse(.padding, "\(padding)", "0 to 1024")
        }
        if let noise, !(noise >= 0 && noise.isFinite) {
            throw refuse(.noise, "\(noise)", "0 or more")
        }
        if let drop, !(0..<1).contains(drop) {
            throw refuse(.drop, "\(drop)", "0 to below 1")
        }
    }

    /// - Parameters:
    ///   - augmentation: the recipe's.
    ///   - isStrong: whether it is to be far from the sample, as the second view of a consistency loss.
    func version(
        of data: Dataset, _ augmentation: Augmentation, isStrong: Bool = false
    ) -> SampleVersion {
        if data.isImages {
            if let image { return .view(image) }
            let flip = flip ?? augmentation.flip
            if isStrong, padding == nil { return .view(Views(flip: flip ? 0.5 : 0)) }
            let side = data.sampleShape.suffix(2).min() ?? 0
            return .augmented(
                Augmentation(
                    padding: padding ?? (augmentation.isOn ? augmentation.padding : side / 8),
                    flip: flip))
        }
        let amount = isStrong ? 0.25 : 0.1
        func own(_ value: Double) -> Double? { augmentation.isOn && !isStrong ? value : nil }
        return data.isText
            ? .shortened(drop: drop ?? own(augmentation.drop) ?? amount)
            : .noisy(
                std: noise ?? own(augmentation.noise) ?? amount, drop: drop ?? augmentation.drop)
    }
}

extension PhaseContext {
    /// A sample as the recipe trains on it.
    var usualVersion: SampleVersion {
        isPlain ? .plain : .augmented(spec.training.augmentation)
    }

    func version(_ views: ViewOptions, isStrong: Bool = false) -> SampleVersion {
        views.version(of: data.learning, spec.training.augmentation, isStrong: isStrong)
    }
}
