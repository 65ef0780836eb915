import Diagnostics
import Distillation
import Torch

extension Run {
    /// Makes images and nothing else: trains the teacher if the recipe has it trained, and then does
    /// as many epochs of warm-up as `images` take. Continues where an earlier call was interrupted.
    ///
    /// - Returns: the pool, of at least so many images.
    /// - Throws: also for a recipe of another method.
    public func synthesise(images: Int) throws -> SyntheticPool {
        guard var last = chain.last, var target = last.target.base as? DataFree.Target else {
            throw Problem.noPool(folder)
        }
        let claim = try FolderClaim(folder, for: .run, using: environment.files)
        defer { claim.release() }
        for spec in chain.dropLast() {
            _ = try store.complete(spec, chain: chain, data: data, environment: environment)
        }
        let synthesis = target.options.synthesis
        let perEpoch = synthesis.batch * synthesis.warmUpBatches
        target.options.synthesis.warmUp = max(1, (images + perEpoch - 1) / perEpoch)
        target.options.synthesis.maxImages = nil
        last.target = AnyTarget(target)
        Engine.threads = compute.threads
        let path = "\(folder)/phases/images"
        let spec = last
        try store.inPhase(spec) {
            let trainer = try store.prepared(
                spec, chain: chain, data: data, folder: path, environment: environment)
            try trainer.runBeginning()
            try (trainer.objective as? DataFreeObjective)?.pass.finish()
            try trainer.store.removeAll()
        }
        return try SyntheticPool(phase: path)
    }
}
