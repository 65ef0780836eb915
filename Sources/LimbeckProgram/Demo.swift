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
            Methods that people use against wrong labels stand beside the five systems, and cross-entropy on \
            the wrong and on the clean labels frames them. The comparison file it runs is printed by \
            --print-recipe.
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

    /// What `limbeck compare` would be given: what people use against wrong labels beside the five systems,
    /// between a floor (cross-entropy) and a ceiling (clean labels).
    ///
    /// Rows have the same samples, network and epochs a phase, but the distilled one, whose student is of less
    /// than half the weights. Settings come from experiments on other splits of Fashion-MNIST's training
    /// images with other seeds; weight decay and epochs of the regularised rows are chosen anew for every seed, on its noisy
    /// validation split.
    static let recipe = """
        data: {kind: embedded, validation: 0.15}
        noise: {kind: symmetric, rate: 0.4}
        model: {name: mlp, hidden: [256, 256]}
        optimizer: {kind: sgd, learning-rate: 0.05, momentum: 0.9, nesterov: true}
        schedule: {kind: cosine, warm-up: 1}
        training: {epochs: 20, batch: 128, ema: 0.99}
        seeds: [0, 1, 2, 3, 4]
        rows:
          - name: cross-entropy
            method: {name: cross-entropy}
          - name: cross-entropy + EMA
            method: {name: cross-entropy}
            training: {use-ema: true}
          - name: regularised cross-entropy
            method: {name: cross-entropy}
            search: {optimizer.weight-decay: [0.005, 0.01, 0.02], training.epochs: [10, 20]}
          - name: self-distillation, soft
            method: {name: self-distillation, stages: 2, labels: soft, beta: 0.5, weights: last}
          - name: self-distillation, hard
            method: {name: self-distillation, stages: 1, labels: hard, weights: last}
          - name: regularised + self-distillation, soft
            method: {name: self-distillation, stages: 1, labels: soft, beta: 1, weights: last}
            search: {optimizer.weight-decay: [0.005, 0.01, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
          - name: regularised + self-distillation, hard
            method: {name: self-distillation, stages: 1, labels: hard, weights: last}
            search: {optimizer.weight-decay: [0.005, 0.01, 0.02], training.epochs: [10, 20]}
            search-on: first-phase
          - name: mutual learning
            method: {name: mutual}
            optimizer: {weight-decay: 0.01}
          - name: adaptive mixing (a tenth of the samples set apart)
            method: {name: adaptive-mixing, rule: box, warm-up: 5, meta-interval: 5}
            optimizer: {weight-decay: 0.005}
          - name: relations, initialisation
            method: {name: cross-entropy}
            optimizer: {weight-decay: 0.01}
            relation: {start: encoder, edge: none, node: none, encoder: {kind: simclr, epochs: 10, views: {flip: 0}}}
          - name: early learning (ELR)
            method: {name: early-learning, lambda: 3, beta: 0.7}
            optimizer: {weight-decay: 0.001}
          - name: SOP
            method: {name: sop, learning-rate-u: 10, learning-rate-v: 100, start: 0.003}
            optimizer: {weight-decay: 0.002}
          - name: co-teaching
            method: {name: co-teaching, forget-rate: injected, ramp: 5}
            optimizer: {weight-decay: 0.005}
          - name: DivideMix
            method: {name: dividemix, warm-up: 4, unlabelled-weight: 1, ramp: 8, views: {padding: 1}}
            optimizer: {weight-decay: 0.002}
            training: {epochs: 12}
          - name: ELR distilled into less than half the weights
            model: {hidden: [128, 128]}
            method:
              name: distillation
              temperature: 2
              label-weight: 0
              distillation-weight: 1
              teacher: {model: {name: mlp, hidden: [256, 256]}, method: {name: early-learning, lambda: 3, beta: 0.7}}
            optimizer: {weight-decay: 0.001}
          - name: trained on clean labels
            noise: {kind: none}
            method: {name: cross-entropy}
            optimizer: {weight-decay: 0.005}
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
