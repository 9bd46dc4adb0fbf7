"""A pretrained network in two halves: a frozen one, computed once an image, and a trained one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SplitNetwork:
    """A network cut at one value through which everything goes.

    Both halves share their parameters with the network that was cut: training the back changes it.

    Attributes:
        whole: The network: ``(n, 3, h, w)`` float32 to ``(n, dim)``.
        front: As far as the cut; its parameters are frozen.
        back: From there on.
        is_cut: Whether there is a cut: the front is the identity where there is none.
        frozen: Share of the parameters that are frozen.
    """

    whole: Any
    front: Any
    back: Any
    is_cut: bool
    frozen: float


def split_network(network: Any, *, trained: float) -> SplitNetwork:
    """Cut a network so that about a share of its layers with weights lies behind the cut.

    Args:
        network: A torch module; layers keep the statistics of their batch normalisation.
        trained: Share of the layers with weights that are trained, the last ones; 1 for all.

    Returns:
        The halves. Where the network cannot be cut, as what it computes depends on what it is
        given, its first layers are frozen all the same.
    """
    import torch

    network.eval().requires_grad_(True)
    graph = _traced(network) if trained < 1 else None
    node = None if graph is None else _cut(network, graph, trained)
    if graph is None or node is None:
        _freeze_first(network, trained)
        return SplitNetwork(network, torch.nn.Identity(), network, False, _frozen_share(network))
    front = torch.fx.GraphModule(network, _until(graph, node))
    back = torch.fx.GraphModule(network, _after(graph, node))
    back.graph.eliminate_dead_code()
    back.recompile()
    front.requires_grad_(False)
    back.requires_grad_(True)
    return SplitNetwork(network, front, back, True, _frozen_share(network))


def _freeze_first(network: Any, trained: float) -> None:
    """Freeze all parameters before the last share of the layers with weights."""
    parameters = list(network.parameters())
    weighted = [at for at, parameter in enumerate(parameters) if parameter.dim() > 1]
    if not weighted:
        return
    for parameter in parameters[: weighted[_frozen_layers(len(weighted), trained)]]:
        parameter.requires_grad_(False)


def _frozen_layers(layers: int, trained: float) -> int:
    """How many layers are frozen: one is trained at least."""
    return min(round(layers * (1 - trained)), layers - 1)


def _frozen_share(network: Any) -> float:
    sizes = [(p.numel(), p.requires_grad) for p in network.parameters()]
    frozen = sum(n for n, trained in sizes if not trained)
    return float(frozen / max(sum(n for n, _ in sizes), 1))


def _traced(network: Any) -> Any:
    """The graph of a network; None where what it computes depends on what it is given."""
    import torch

    class Tracer(torch.fx.Tracer):
        def is_leaf_module(self, module: Any, name: str) -> bool:
            # What has no parts is computed as it is: padding and pooling look at shapes.
            return super().is_leaf_module(module, name) or not list(module.children())

    try:
        return Tracer().trace(network)
    except (torch.fx.proxy.TraceError, TypeError, ValueError, RuntimeError):
        return None


def _cut(network: Any, graph: Any, trained: float) -> Any:
    """The node with the wanted share of layers behind it, of those that hold everything; or None.

    Only nodes qualify past which nothing of what was computed before is used.
    """
    nodes = [node for node in graph.nodes if node.op not in {"get_attr", "output"}]
    place = {node: at for at, node in enumerate(nodes)}
    last_use = [max((place.get(user, len(nodes)) for user in node.users), default=at)
                for at, node in enumerate(nodes)]  # fmt: skip
    weighted = [_has_weights(network, node) for node in nodes]
    before, reach, found = 0, 0, None
    wanted = _frozen_layers(sum(weighted), trained)
    for at, node in enumerate(nodes[:-1]):
        before += weighted[at]
        if before > wanted:
            break
        if reach <= at and node.op != "placeholder":
            found = node
        reach = max(reach, last_use[at])
    return found


def _has_weights(network: Any, node: Any) -> bool:
    if node.op != "call_module":
        return False
    module = network.get_submodule(node.target)
    return any(parameter.dim() > 1 for parameter in module.parameters())


def _until(graph: Any, last: Any) -> Any:
    import torch

    made = torch.fx.Graph()
    copies: dict[Any, Any] = {}
    for node in graph.nodes:
        copies[node] = made.node_copy(node, lambda old: copies[old])
        if node is last:
            break
    made.output(copies[last])
    return made


def _after(graph: Any, last: Any) -> Any:
    import torch

    made = torch.fx.Graph()
    copies: dict[Any, Any] = {last: made.placeholder("values")}
    nodes: Sequence[Any] = list(graph.nodes)
    start = nodes.index(last)
    for at, node in enumerate(nodes):
        # Parameters that are values of the graph may be named before the cut.
        if node is last or (at < start and node.op != "get_attr"):
            continue
        copies[node] = made.node_copy(node, lambda old: copies[old])
    return made
