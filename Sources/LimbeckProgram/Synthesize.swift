import ArgumentParser
import Datasets
import Diagnostics
import Files
import Foundation
import Training

struct Synthesize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Writes images that were made out of a teacher as a data set.",
        discussion: """
            From a finished run of method data-free: all images of its pool. From a recipe of that \
            method: new ones, without a student and so without the adversarial term; interrupted, the \
            same command continues.
            The data set is a pair of IDX files with the target labels, which recipes read with \
            data: {kind: idx, images: …, labels: …}.

            Examples:
              limbeck synthesize runs/data-free-digits-0 --out images
              limbeck synthesize Examples/data-free.yaml --images 1000 --out images
            """)

    @Argument(help: "A run folder, or a recipe.")
    var source: String

    @Option(help: "The folder of the data set.")
    var out: String

    @Option(help: "From a recipe: at least so many, in whole epochs of warm-up.")
    var images: Int = 1000

    @Flag(help: "From a run: the images that measured the student, which it never learnt from.")
    var heldOut = false

    @Option(
        name: .customLong("set"),
        help: "Change one value of the recipe: key.path=value. May be repeated.")
    var overrides: [String] = []

    @Flag(
        help: "From a recipe: make phases whose files are damaged again instead of refusing them.")
    var remake = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeArguments

    func validate() throws {
        guard (1...100_000_000).contains(images) else {
            throw ValidationError("--images: found \(images), expected 1 to 100000000")
        }
    }

    func run() throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
        let names: Set = ["images-idx-ubyte", "labels-idx-ubyte"]
        try OutputFolder.check(
            out, for: "data set", names: names.union(["run"]), marks: names)
        let outputs = names.sorted().map { ("--out", Optional("\(out)/\($0)")) }
        try Outputs.check(outputs, inputs: [source])
        let pool = exists && isFolder.boolValue ? try SyntheticPool(run: source) : try made()
        guard pool.classNames.count <= 256 else {
            throw Problem.manyClassesForIDX(pool.classNames.count)
        }
        let data = try pool.dataset(heldOut: heldOut)
        guard case .images(let bytes, _, _, _) = data.features else { return }
        let files = LocalFileSystem()
        try files.createDirectory(out)
        let (imagesPath, labelsPath) = ("\(out)/images-idx-ubyte", "\(out)/labels-idx-ubyte")
        try files.replace(imagesPath, with: IDX.encoded(images: bytes, shape: pool.shape))
        try files.replace(labelsPath, with: IDX.encoded(labels: data.labels))
        let summary = Summary(
            images: data.count, shape: pool.shape, classes: pool.classNames, file: imagesPath,
            labels: labelsPath)
        if json { return Console.print(json: summary) }
        Console.print("\(data.count) images of shape \(pool.shape): \(imagesPath), \(labelsPath)")
    }

    private struct Summary: Encodable {
        var images: Int
        var shape: [Int]
        var classes: [String]
        var file: String
        var labels: String
    }

    /// Images of a recipe, in a run folder of their own beside the data set.
    private func made() throws -> SyntheticPool {
        var file = try RecipeFile(path: source)
        for assignment in overrides { file = try file.setting(assignment) }
        let recipe = try file.decoded(Recipe.self)
        guard recipe.method.base is DataFree else {
            throw Problem.notDataFree(source, recipe.method.name)
        }
        try Outputs.check(
            ["images", "labels"].map { ("--out", "\(out)/\($0)-idx-ubyte") },
            inputs: recipe.inputFiles)
        let options = try compute.resolve(model: recipe.model, concurrent: false)
        var environment = try TrainingEnvironment.program()
        environment.remake = remake
        let run = try file.placing {
            try Run(recipe, folder: "\(out)/run", compute: options, environment: environment)
        }
        Progressing.shared.begin(phases: run.chain.count, verbose: true)
        let pool = try continuedByRunningAgain { try run.synthesise(images: images) }
        Progressing.shared.clear()
        return pool
    }
}
