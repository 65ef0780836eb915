import Files

@testable import Training

/// Small data of the kinds that are no images, with wrong labels: what every robust method trains on for two epochs.
enum RobustData: String, CaseIterable {
    case table, texts

    /// 90 texts; "fine" or "poor" decides.
    private static let reviews: String = {
        let rows = (0..<90).map { i in
            let good = i % 2 == 0
            return "no \(i / 2) was \(good ? "fine" : "poor") indeed,\(good ? "up" : "down")"
        }
        return (["review,truth"] + rows).joined(separator: "\n") + "\n"
    }()

    /// - Parameter method: as a recipe has it.
    func recipe(_ method: String, _ scratch: Scratch, _ changes: String...) throws -> Recipe {
        let (data, model): (String, String)
        switch self {
        case .table:
            data = "{kind: gaussian-classes, samples: 200, classes: 3, features: 6, separation: 2}"
            model = "{name: mlp, hidden: [12]}"
        case .texts:
            let path = scratch("texts.csv")
            try LocalFileSystem().write(Array(Self.reviews.utf8), to: path)
            data = "{kind: text, path: \(path), text: review, label: truth, length: 40}"
            model = "{name: fasttext, buckets: 200, width: 0.25}"
        }
        var file = try RecipeFile(
            text: """
                data: \(data)
                noise: {kind: symmetric, rate: 0.3}
                model: \(model)
                method: \(method)
                optimizer: {kind: adam, learning-rate: 0.01}
                training: {epochs: 2, batch: 16, ema: 0, checkpoint-steps: 2}
                """, file: rawValue)
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }
}
