import Files
import TestSupport
import Testing

/// `synthesize`: the pool of a run, and new images of a recipe, as a data set that recipes read.
@Suite(.serialized, .takesTurns) struct SynthesizeTests {
    /// 3 + 2 · 2 batches of 12, of which the pool keeps the newest with at least 40 images; one held out.
    @Test func poolOfARunAndImagesOfARecipe() throws {
        let tool = try Tool()
        try tool.write("r.yaml", TinyRuns.dataFree.text)
        let trained = try tool.run(["train", "r.yaml", "--out", "run"] + TinyRuns.flags)
        #expect(trained.status == 0, "\(trained.err)")

        for (more, count) in [([String](), 48), (["--held-out"], 12)] {
            let made = try tool.run(["synthesize", "run", "--out", "images", "--json"] + more)
            #expect(made.status == 0, "\(made.err)")
            let object = try made.object()
            #expect(object["images"] as? Int == count)
            #expect(object["shape"] as? [Int] == [1, 28, 28])
            // Magic and sizes, then one byte per pixel; magic and size, then one per label.
            #expect(try readFile(tool("images/images-idx-ubyte")).count == 16 + count * 784)
            let labels = try readFile(tool("images/labels-idx-ubyte"))
            #expect(labels.count == 8 + count && labels.dropFirst(8).allSatisfy { $0 < 10 })
        }

        let recipe = ["synthesize", "r.yaml", "--images", "200", "--out", "new"] + TinyRuns.flags
        let made = try tool.run(recipe)
        #expect(made.status == 0, "\(made.err)")
        let images = try readFile(tool("new/images-idx-ubyte"))
        // In whole epochs of warm-up: six times three batches of 12.
        #expect(images.count == 16 + 216 * 784)
        #expect(try tool.run(recipe).status == 0)
        #expect(try readFile(tool("new/images-idx-ubyte")) == images, "the same again")

        try tool.write(
            "next.yaml",
            """
            data: {kind: idx, images: new/images-idx-ubyte, labels: new/labels-idx-ubyte, validation: 0.2, test: 0.2}
            model: {name: mlp, hidden: [8]}
            method: {name: cross-entropy}
            """)
        let next = try tool.run(["train", "next.yaml", "--dry-run"] + TinyRuns.flags)
        #expect(next.status == 0, "\(next.err)")
    }

    /// Two methods without any real sample: what is measured is not called accuracy.
    @Test func comparisonWithoutSamples() throws {
        let tool = try Tool()
        let teacher = TinyRuns.dataFree.text.replacing(
            try Regex("method: .*"), with: "method: {name: cross-entropy}")
        try tool.write("t.yaml", teacher)
        let trained = try tool.run(["train", "t.yaml", "--out", "t"] + TinyRuns.flags)
        #expect(trained.status == 0, "\(trained.err)")
        try tool.write(
            "c.yaml",
            """
            data: {kind: none}
            model: {name: resnet8, width: 0.1}
            method:
              name: data-free
              teacher: {model: {name: resnet8, width: 0.1}, file: t/model.safetensors}
              steps-per-epoch: 2
              synthesis: {batch: 12, steps: 1, warm-up: 1, warm-up-batches: 1, width: 2, latent-dim: 4}
            training: {epochs: 1, batch: 16}
            optimizer: {learning-rate: 0.02}
            rows: [{name: with}, {name: without, method: {synthesis: {adversarial-weight: 0}}}]
            """)
        let done = try tool.run(["compare", "c.yaml", "--out", "c"] + TinyRuns.flags)
        #expect(done.status == 0, "\(done.err)")
        #expect(done.out.contains("Agreement with the teacher in percent"), "\(done.out)")
        #expect(done.out.contains("- There are no test samples: what is called accuracy is"))
        #expect(!done.out.contains("test accuracy"))
        let page = String(decoding: try readFile(tool("c/report.html")), as: UTF8.self)
        #expect(page.contains("Agreement with the teacher in percent"))
    }

    @Test func mistakes() throws {
        let tool = try Tool()
        try tool.write("r.yaml", TinyRuns.recipes[0].text)
        for (arguments, status, complaint) in [
            (
                ["r.yaml"], 65,
                "r.yaml, method.name: the recipe makes no images: found cross-entropy, expected data-free"
            ),
            (["r.yaml", "--images", "0"], 64, "--images: found 0, expected 1 to 100000000"),
            (["nothing.yaml"], 74, "nothing.yaml: cannot read: No such file or directory"),
        ] {
            let done = try tool.run(["synthesize", "--out", "images"] + arguments)
            #expect(done.status == Int32(status), "\(arguments): \(done.err)")
            #expect(done.err.contains(complaint), "\(arguments): \(done.err)")
        }
    }
}
