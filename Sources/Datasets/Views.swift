import Diagnostics
import Foundation
import Randomness

/// Random views of an image for learning without labels: changes that keep its meaning.
///
/// In this order: a resized crop (a window of random area and shape, brought back to the image's size
/// by bilinear interpolation), a horizontal flip, colour jitter (brightness, contrast, saturation
/// and hue in random order), grey. The operations and the draws of the window are torchvision's
/// (`RandomResizedCrop`, `RandomHorizontalFlip`, `ColorJitter`, `RandomGrayscale` on float images in
/// [0, 1]). On grey images saturation, hue and grey do nothing; jitter then moves brightness and
/// contrast alone. The defaults are SimSiam's for CIFAR (Chen and He 2020, arXiv 2011.10566), which has no
/// blur. What it does not do: more than 3 channels are treated as if without colour.
public struct Views: Codable, Equatable, Sendable {
    /// Smallest and largest share of the area that a window has, above 0 and at most 1. [1, 1]
    /// with `ratio` 1: no crop.
    public var scale: [Double]
    /// Width over height of a window is from 1/ratio to ratio, at least 1. 4/3 is usual.
    public var ratio: Double
    /// Probability of a flip. 0 for digits and other content where left matters.
    public var flip: Double
    /// Factors from 1 − b to 1 + b, not below 0.
    public var brightness: Double
    public var contrast: Double
    public var saturation: Double
    /// Turns of the colour circle from −h to h, h at most ½.
    public var hue: Double
    /// Probability that the four are applied.
    public var jitter: Double
    /// Probability of grey.
    public var grey: Double
    /// Views of each sample, 1 to 8. Methods with two views ask for two.
    public let count: Int

    public init(
        scale: [Double] = [0.2, 1], ratio: Double = 4.0 / 3, flip: Double = 0.5,
        brightness: Double = 0.4, contrast: Double = 0.4, saturation: Double = 0.4,
        hue: Double = 0.1, jitter: Double = 0.8, grey: Double = 0.2, count: Int = 2
    ) {
        self.scale = scale
        self.ratio = ratio
        self.flip = flip
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.jitter = jitter
        self.grey = grey
        self.count = count
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case scale, ratio, flip, brightness, contrast, saturation, hue, jitter, grey
    }

    /// Absent keys take their defaults. A recipe does not set the number of views.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func number(_ key: CodingKeys, _ path: WritableKeyPath<Views, Double>) throws {
            if let found = try values.decodeIfPresent(Double.self, forKey: key) {
                self[keyPath: path] = found
            }
        }
        scale = try values.decodeIfPresent([Double].self, forKey: .scale) ?? scale
        try number(.ratio, \.ratio)
        try number(.flip, \.flip)
        try number(.brightness, \.brightness)
        try number(.contrast, \.contrast)
        try number(.saturation, \.saturation)
        try number(.hue, \.hue)
        try number(.jitter, \.jitter)
        try number(.grey, \.grey)
        if let (key, found, expected) = fault {
            let path = (values.codingPath.map(\.stringValue) + [key]).joined(separator: ".")
            throw Problem.viewRange(path, found: found, expected: expected)
        }
    }

    /// The first key out of range.
    private var fault: (key: String, found: String, expected: String)? {
        guard scale.count == 2, scale[0] > 0, scale[0] <= scale[1], scale[1] <= 1 else {
            return ("scale", "\(scale)", "[smallest, largest], above 0 and at most 1")
        }
        if !(ratio >= 1 && ratio <= 100) { return ("ratio", "\(ratio)", "1 to 100") }
        for (key, p) in [("flip", flip), ("jitter", jitter), ("grey", grey)]
        where !(0...1).contains(p) { return (key, "\(p)", "a probability from 0 to 1") }
        for (key, b) in [
            ("brightness", brightness), ("contrast", contrast), ("saturation", saturation),
        ] where !(0...10).contains(b) { return (key, "\(b)", "0 to 10") }
        if !(0...0.5).contains(hue) { return ("hue", "\(hue)", "0 to 0.5") }
        return nil
    }

    /// What is done to one sample for one view.
    public struct Change: Equatable, Sendable {
        public enum Jitter: Equatable, Sendable {
            case brightness(Float)
            case contrast(Float)
            case saturation(Float)
            case hue(Float)
        }

        /// The window: its first row and column, its extents; inside the image.
        public var top: Int
        public var left: Int
        public var height: Int
        public var width: Int
        public var flipped = false
        /// In the order of their application.
        public var jitter: [Jitter] = []
        public var grey = false

        public init(
            top: Int, left: Int, height: Int, width: Int, flipped: Bool = false,
            jitter: [Jitter] = [], grey: Bool = false
        ) {
            self.top = top
            self.left = left
            self.height = height
            self.width = width
            self.flipped = flipped
            self.jitter = jitter
            self.grey = grey
        }
    }

    /// The draw for a sample (its index in the data set) and view in an epoch. Every draw takes the
    /// same numbers whatever the options are.
    public func change(
        seed: UInt64, epoch: Int, sample: Int, view: Int, height: Int, width: Int
    ) -> Change {
        var draw = Draw(seed: seed, .augmentation, epoch: epoch, step: view, sample: sample)
        var change = window(height: height, width: width, &draw)
        change.flipped = draw.uniform() < flip
        let isJittered = draw.uniform() < jitter
        func factor(_ strength: Double) -> Float {
            let low = max(0, 1 - strength)
            return Float(low + (1 + strength - low) * draw.uniform())
        }
        var list: [Change.Jitter] = [
            .brightness(factor(brightness)), .contrast(factor(contrast)),
            .saturation(factor(saturation)), .hue(Float(hue * (2 * draw.uniform() - 1))),
        ]
        list.permute(&draw)
        if isJittered { change.jitter = list }
        change.grey = draw.uniform() < grey
        return change
    }

    /// Ten tries for a window that fits, then the largest central one of a shape within `ratio`.
    private func window(height: Int, width: Int, _ draw: inout Draw) -> Change {
        let full = Double(height * width)
        var found: Change?
        for _ in 0..<10 {
            let size = full * (scale[0] + (scale[1] - scale[0]) * draw.uniform())
            let shape = exp(log(ratio) * (2 * draw.uniform() - 1))
            let w = Int((size * shape).squareRoot().rounded(.toNearestOrEven))
            let h = Int((size / shape).squareRoot().rounded(.toNearestOrEven))
            // Drawn either way, so that a draw's length does not depend on the options.
            let (down, right) = (draw.uniform(), draw.uniform())
            guard found == nil, w > 0, h > 0, w <= width, h <= height else { continue }
            found = Change(
                top: Int(down * Double(height - h + 1)), left: Int(right * Double(width - w + 1)),
                height: h, width: w)
        }
        if let found { return found }
        let own = Double(width) / Double(height)
        var (h, w) = (height, width)
        if own < 1 / ratio { h = max(1, Int((Double(width) * ratio).rounded())) }
        if own > ratio { w = max(1, Int((Double(height) * ratio).rounded())) }
        return Change(top: (height - h) / 2, left: (width - w) / 2, height: h, width: w)
    }

    /// Throws unless the samples are images.
    public func check(sampleShape: [Int], name: String) throws(Problem) {
        guard sampleShape.count == 3 else { throw .viewsOfNoImages(name) }
    }
}
