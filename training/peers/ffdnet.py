"""FFDNet's published colour weights as ONNX, so that the bench can run them beside the shipped denoisers.

    /usr/bin/python3 training/peers/ffdnet.py FFDNet_color.mat ffdnet.onnx

FFDNet: Zhang, Zuo and Zhang, 2018 (arXiv:1710.04026). The .mat file is MATLAB's HDF5, as its authors publish it; it
belongs to them and is never committed, nor is what this makes of it.

The result has the interface of the app's own denoisers: image [N,3,H,W], sRGB-encoded, 0..1 where noise does not
leave that range, and sigma [N,1,H,W], the noise's standard deviation in the same unit, to denoised [N,3,H,W], not
clipped. H and W are even. One level is taken from every 2x2 pixels of sigma.
"""
import argparse
import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# Where ONNX's SpaceToDepth puts sample (row, column, colour) of a 2x2 block, as the index of FFDNet's channel for it:
# MATLAB counts the block's samples down its columns, and all of them for one colour after the other.
ORDER = [colour * 4 + column * 2 + row for row in range(2) for column in range(2) for colour in range(3)]


def text(codes) -> str:
    return "".join(map(chr, codes[:, 0]))


def read_convolutions(path) -> list:
    """[(weight [out,in,3,3], bias [out])] in order. ValueError when the file holds another network."""
    with h5py.File(path, "r") as file:
        layers = [file[reference] for reference in file["net/layers"][:, 0]]
        kinds = [text(layer["type"]) for layer in layers]
        if kinds != ["SubP", "concat"] + ["conv", "relu"] * 11 + ["conv", "SubP"]:
            raise ValueError(f"{path} does not hold FFDNet's layers but {', '.join(kinds)}")
        found = []
        for layer in layers:
            if text(layer["type"]) == "conv":
                weight, bias = (np.array(file[reference], np.float32) for reference in layer["weights"][:, 0])
                # MATLAB stores columns first: HDF5 shows [out,in,column,row].
                found.append((weight.transpose(0, 1, 3, 2), bias.ravel()))
    if found[0][0].shape != (96, 13, 3, 3) or found[-1][0].shape != (12, 96, 3, 3):
        raise ValueError(f"{path} does not hold the colour network")
    return found


def build(convolutions: list) -> onnx.ModelProto:
    (first, first_bias), *middle, (last, last_bias) = convolutions
    convolutions = [(first[:, ORDER + [12]], first_bias), *middle, (last[ORDER], last_bias[ORDER])]
    nodes = [
        helper.make_node("SpaceToDepth", ["image"], ["blocks"], blocksize=2),
        helper.make_node("MaxPool", ["sigma"], ["levels"], kernel_shape=[1, 1], strides=[2, 2]),
        helper.make_node("Concat", ["blocks", "levels"], ["x0"], axis=1),
    ]
    weights = []
    for index, (weight, bias) in enumerate(convolutions):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(weight), f"weight{index}"))
        weights.append(numpy_helper.from_array(np.ascontiguousarray(bias), f"bias{index}"))
        is_last = index == len(convolutions) - 1
        out = "blocks_out" if is_last else f"sum{index}"
        nodes.append(helper.make_node("Conv", [f"x{index}", f"weight{index}", f"bias{index}"], [out],
                                      kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [out], [f"x{index + 1}"]))
    nodes.append(helper.make_node("DepthToSpace", ["blocks_out"], ["denoised"], blocksize=2, mode="DCR"))

    def planes(name, count):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", count, "h", "w"])

    graph = helper.make_graph(nodes, "ffdnet", [planes("image", 3), planes("sigma", 1)], [planes("denoised", 3)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="FFDNet_color.mat")
    parser.add_argument("out", help="the ONNX file to write")
    args = parser.parse_args(argv)
    onnx.save(build(read_convolutions(args.weights)), args.out)


if __name__ == "__main__":
    main()
