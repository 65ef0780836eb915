import ArgumentParser
import Diagnostics
import Training

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Compares methods under 40 % label noise on embedded images: the main job in a few minutes.",
        discussion: """
            4,000 training and 1,000 test images of Fashion-MNIST are part of the program. 40 % of the \
            training and validation labels are made wrong; the test labels stay clean and choose nothing. \
            The comparison file it runs is printed by --print-recipe.
            """)

    @Option(help: "The folder of the comparison.")
    var out: String = "runs/demo"

    @Option(help: "Seeds, separated by commas.")
    var seeds: String?

    @Flag(help: "Print the comparison file and stop.")
    var printRecipe = false

    @Flag(help: "Make phases whose files are damaged again instead of refusing them.")
    var remake = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeArguments

    func run() throws {
        if printRecipe { return Console.print(Demo.recipe) }
        let file = try RecipeFile(text: Demo.recipe, file: "demo")
        try ComparisonRunner(
            rows: try ComparisonFile([file]), seeds: try parseSeeds(seeds), folder: out,
            compute: compute, json: json, remake: remake
        ).run()
    }

    /// What `limbeck compare` would be given. Every phase of a row has the same epochs: a later stage
    /// that trained for less would look robust for that reason alone. Network, rate, β and the grid come
    /// from experiments on another subset and other splits of Fashion-MNIST; weight decay and epochs are
    /// chosen anew for every seed, on its noisy validation split. Stages count from 0: "2 stages" are
    /// stage 0 on the given labels and stage 1 on its pseudo-labels.
    static let recipe = """
        data: {kind: embedded, validation: 0.15}
        noise: {kind: symmetric, rate: 0.4}
        model: {name: mlp, hidden: [256, 256]}
        optimizer: {kind: sgd, learning-rate: 0.05, momentum: 0.9, nesterov: true}
        schedule: {kind: cosine, warm-up: 1}
        training: {epochs: 20, batch: 128, ema: 0.99}
        seeds: [0, 1, 2]
        rows:
          - name: cross-entropy
            method: {name: cross-entropy}
          - name: cross-entropy + EMA
            method: {name: cross-entropy}
            training: {use-ema: true}
          - name: distillation, noisy teacher
            method: {name: distillation, temperature: 2, label-weight: 0.1, distillation-weight: 0.9, teacher: {weights: last}}
          - name: self-distillation, 2 stages, soft
            method: {name: self-distillation, stages: 1, labels: soft, beta: 0.5, weights: last}
          - name: self-distillation, 3 stages, soft
            method: {name: self-distillation, stages: 2, labels: soft, beta: 0.5, weights: last}
          - name: self-distillation, 2 stages, hard
            method: {name: self-distillation, stages: 1, labels: hard, weights: last}
          - name: self-distillation, 3 stages, hard
            method: {name: self-distillation, stages: 2, labels: hard, weights: last}
          - name: regularised cross-entropy
            method: {name: cross-entropy}
            search: {optimizer.weight-decay: [0, 0.005, 0.02], training.epochs: [10, 20]}
          - name: regularised + 2 stages, soft
            method: {name: self-distillation, stages: 1, labels: soft, beta: 1, weights: last}
            search: {optimizer.weight-decay: [0, 0.005, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
          - name: regularised + 3 stages, soft
            method: {name: self-distillation, stages: 2, labels: soft, beta: 1, weights: last}
            search: {optimizer.weight-decay: [0, 0.005, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
          - name: regularised + 2 stages, hard
            method: {name: self-distillation, stages: 1, labels: hard, weights: last}
            search: {optimizer.weight-decay: [0, 0.005, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
          - name: regularised + 3 stages, hard
            method: {name: self-distillation, stages: 2, labels: hard, weights: last}
            search: {optimizer.weight-decay: [0, 0.005, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
        """
}

/// `0,1,2` → [0, 1, 2]; nil stays nil.
func parseSeeds(_ text: String?) throws(Problem) -> [UInt64]? {
    guard let text else { return nil }
    let list = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
    guard !list.isEmpty, !list.contains(nil), Set(list).count == list.count else {
        throw .badSeeds(text)
    }
    return list.compactMap(\.self)
}
